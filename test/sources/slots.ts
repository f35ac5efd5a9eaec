/** Values of a typed column read from where it says that they stand. */
import { isDeepStrictEqual } from 'node:util';
import type { ByteSlots, ListSlots, NumberSlots, ValueSlots, ViewSlots } from '../../src/core/slots.ts';
import type { ColumnBatch, TypedColumn, Value } from '../../src/core/types.ts';

/** Throws where a value in memory is another than the one that `at` gives. */
export function checkSlots({ columns, rowCount, faults }: ColumnBatch): void {
  for (const column of columns) {
    if (column.kind !== 'typed' || column.slots === null) continue;
    for (let row = 0; row < rowCount; row += 1) {
      if (faults?.has(row)) continue;
      const [found, expected] = [valueAt(column, column.slots, row), column.at(row)];
      if (!isDeepStrictEqual(found, expected)) {
        throw new Error(
          `row ${row} of a ${column.type.kind}: expected ${expected}, found ${found} in memory`,
        );
      }
    }
  }
}

function valueAt(
  { type }: TypedColumn,
  { first, codes, valid, validFirst, values }: ValueSlots,
  row: number,
): Value {
  if (valid !== null && !bitAt(valid, validFirst + row)) return null;
  const at = codes === null ? first + row : codes[first + row]!;
  if (values.kind === 'bytes') return textAt(values, at);
  if (values.kind === 'views') return viewAt(values, at);
  if (values.kind === 'lists') return listAt(values, at);
  const value = numberAt(values, at);
  // Times of 32 bits are bigints too.
  return type.kind === 'timestamp' || type.kind === 'duration' ? BigInt(value as bigint) : value;
}

function textAt({ bytes, start, offsets, step }: ByteSlots, at: number): Value {
  const [from, to] = [offsets[at * step]!, offsets[(at + 1) * step]!];
  return Buffer.from(bytes.subarray(start + from, start + to)).toString('latin1');
}

function viewAt({ bytes, buffers }: ViewSlots, at: number): Value {
  const view = Buffer.from(bytes.subarray(at * 16, at * 16 + 16));
  const length = view.readInt32LE(0);
  if (length <= 12) return view.toString('latin1', 4, 4 + length);
  const start = view.readInt32LE(12);
  return Buffer.from(buffers[view.readInt32LE(8)]!.subarray(start, start + length)).toString('latin1');
}

function listAt({ numbers, offsets, step }: ListSlots, at: number): Value {
  const [from, to] = [at, at + 1].map((index) => (offsets === null ? index * step : offsets[index * step]!));
  return [...numbers.subarray(from, to)];
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
