/** Values of a typed column read from where it says that they stand. */
import type {
  ByteSlots,
  ColumnBatch,
  NumberSlots,
  TypedColumn,
  Value,
  ValueSlots,
} from '../../src/core/types.ts';

/** Throws where a value in memory is another than the one that `at` gives. */
export function checkSlots({ columns, rowCount, faults }: ColumnBatch): void {
  for (const column of columns) {
    if (column.kind !== 'typed' || column.slots === null) continue;
    for (let row = 0; row < rowCount; row += 1) {
      if (faults?.has(row)) continue;
      const [found, expected] = [valueAt(column, column.slots, row), column.at(row)];
      if (!Object.is(found, expected)) {
        throw new Error(
          `row ${row} of a ${column.type.kind}: expected ${expected}, found ${found} in memory`,
        );
      }
    }
  }
}

function valueAt(
  { type }: TypedColumn,
  { first, valid, validFirst, values }: ValueSlots,
  row: number,
): Value {
  if (valid !== null && !bitAt(valid, validFirst + row)) return null;
  if (values.kind === 'bytes') return textAt(values, first + row);
  const value = numberAt(values, first + row);
  // Times of 32 bits are bigints too.
  return type.kind === 'timestamp' || type.kind === 'duration' ? BigInt(value as bigint) : value;
}

function textAt({ bytes, start, offsets, step }: ByteSlots, at: number): Value {
  const [from, to] = [offsets[at * step]!, offsets[(at + 1) * step]!];
  return Buffer.from(bytes.subarray(start + from, start + to)).toString('latin1');
}

function numberAt(values: NumberSlots, at: number): Value {
  switch (values.kind) {
    case 'numbers':
      return values.numbers[at]!;
    case 'bits':
      return bitAt(values.bits, at);
    case 'halves': {
      const { buffer, byteOffset } = values.halves;
      const view = new DataView(buffer, byteOffset + at * 8, 8);
      return values.signed ? view.getBigInt64(0, true) : view.getBigUint64(0, true);
    }
  }
}

function bitAt(bits: Uint8Array, at: number): boolean {
  return ((bits[at >> 3]! >> (at & 7)) & 1) === 1;
}
