/** Values of a typed column as they stand in an Arrow array. */
import type { ValueSlots } from '../../src/core/slots.ts';
import type { ByteString, LogicalType, Value } from '../../src/core/types.ts';

/** Rows of an earlier batch that stand before those of this one. */
const BEFORE = 3;

/**
 * Null where values of the type stand in no array of their own, or one of these is none that its column can hold.
 * `coded`: as codes of a dictionary; those of nulls are none of it.
 */
export function slotsOf(type: LogicalType, given: readonly Value[], coded: boolean): ValueSlots | null {
  const all = [...new Array<Value>(BEFORE).fill(null), ...given];
  const dictionary: Value[] = [...new Set(all)].filter((value) => value !== null).reverse();
  const values = arrayOf(type, coded ? dictionary : all);
  if (values === null) return null;
  const codes = coded ? Int32Array.from(all, (value) => dictionary.indexOf(value)) : null;
  const valid = new Uint8Array(Math.ceil(all.length / 8));
  for (const [i, value] of all.entries()) if (value !== null) valid[i >> 3]! |= 1 << (i & 7);
  return { first: BEFORE, codes, valid: given.includes(null) ? valid : null, validFirst: BEFORE, values };
}

function arrayOf(type: LogicalType, values: readonly Value[]): ValueSlots['values'] | null {
  if (type.kind === 'utf8') return textOf(values.map((value) => (value ?? '') as ByteString));
  if (type.kind === 'bool') return bitsOf(values.map(Number));
  if (type.kind === 'list') return listsOf(type, values as readonly (readonly Value[] | null)[]);
  const numbers = numbersOf(type, values.map(Number));
  if (numbers !== null) {
    const holds = values.every((value, i) => value === null || Object.is(numbers[i], Number(value)));
    return holds ? { kind: 'numbers', numbers } : null;
  }
  if (type.kind !== 'int' && type.kind !== 'timestamp' && type.kind !== 'duration') return null;
  return halvesOf(
    values.map((value) => BigInt((value ?? 0) as bigint)),
    type.kind !== 'int' || type.signed,
  );
}

function numbersOf(type: LogicalType, numbers: readonly number[]) {
  if (type.kind === 'date') return Int32Array.from(numbers);
  if (type.kind === 'float' && type.bits === 32) return Float32Array.from(numbers);
  if (type.kind === 'float' && type.bits === 64) return Float64Array.from(numbers);
  if (type.kind !== 'int' || type.bits === 64) return null;
  if (type.bits === 8) return (type.signed ? Int8Array : Uint8Array).from(numbers);
  if (type.bits === 16) return (type.signed ? Int16Array : Uint16Array).from(numbers);
  return (type.signed ? Int32Array : Uint32Array).from(numbers);
}

function halvesOf(values: readonly bigint[], signed: boolean): ValueSlots['values'] | null {
  const wrap = signed ? BigInt.asIntN : BigInt.asUintN;
  if (values.some((value) => wrap(64, value) !== value)) return null;
  return { kind: 'halves', halves: new Int32Array(BigInt64Array.from(values).buffer), signed };
}

function bitsOf(numbers: readonly number[]): ValueSlots['values'] {
  const bits = new Uint8Array(Math.ceil(numbers.length / 8));
  for (const [i, number] of numbers.entries()) bits[i >> 3]! |= number << (i & 7);
  return { kind: 'bits', bits };
}

/** With offsets of 32 and of 64 bits and in views by turns. */
function textOf(texts: readonly ByteString[]): ValueSlots['values'] {
  if (texts.length % 3 === 0) return viewsOf(texts);
  const ends = [0];
  for (const text of texts) ends.push(ends.at(-1)! + text.length);
  const bytes = Buffer.from(`..${texts.join('')}`, 'latin1');
  const place = { kind: 'bytes', bytes, start: 2 } as const;
  if (texts.length % 2 === 0) return { ...place, offsets: Int32Array.from(ends), step: 1 };
  return { ...place, offsets: new Int32Array(BigInt64Array.from(ends.map(BigInt)).buffer), step: 2 };
}

function viewsOf(texts: readonly ByteString[]): ValueSlots['values'] {
  const long: Buffer[] = [Buffer.from('..'), Buffer.from('.')];
  const bytes = Buffer.alloc(texts.length * 16);
  for (const [i, text] of texts.entries()) {
    const [at, which] = [i * 16, i % 2];
    bytes.writeInt32LE(text.length, at);
    bytes.write(text.slice(0, text.length > 12 ? 4 : 12), at + 4, 'latin1');
    if (text.length <= 12) continue;
    bytes.writeInt32LE(which, at + 8);
    bytes.writeInt32LE(long[which]!.length, at + 12);
    long[which] = Buffer.concat([long[which]!, Buffer.from(text, 'latin1')]);
  }
  const words = new Int32Array(new Uint8Array(bytes).buffer);
  return { kind: 'views', words, bytes: new Uint8Array(words.buffer), buffers: long };
}

/** With offsets of 32 and of 64 bits by turns, and without any where the type has one length. */
function listsOf(
  { item, size }: Extract<LogicalType, { kind: 'list' }>,
  lists: readonly (readonly Value[] | null)[],
): ValueSlots['values'] | null {
  const whole = lists.map((list) => list ?? new Array<Value>(size ?? 0).fill(0));
  const numbers = whole.flat();
  if (item.kind !== 'float' || item.bits === 16 || numbers.includes(null)) return null;
  const held = (item.bits === 32 ? Float32Array : Float64Array)
    .from(['7', ...numbers].map(Number))
    .subarray(1);
  if (numbers.some((number, i) => !Object.is(number, held[i]))) return null;
  if (size !== null) return { kind: 'lists', numbers: held, offsets: null, step: size };
  const ends = [0];
  for (const list of whole) ends.push(ends.at(-1)! + list.length);
  if (lists.length % 2 === 0)
    return { kind: 'lists', numbers: held, offsets: Int32Array.from(ends), step: 1 };
  const offsets = new Int32Array(BigInt64Array.from(ends.map(BigInt)).buffer);
  return { kind: 'lists', numbers: held, offsets, step: 2 };
}
