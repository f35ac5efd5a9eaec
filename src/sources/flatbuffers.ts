/** Tables of flatbuffers, which Arrow's metadata is made of. https://flatbuffers.dev/internals/ */

/** A table; every read outside of the bytes is a RangeError. */
export interface Table {
  readonly bytes: Buffer;
  readonly at: number;
}

export function root(bytes: Buffer): Table {
  return { bytes, at: follow(bytes, 0) };
}

export function child(table: Table, slot: number): Table | null {
  const at = field(table, slot);
  return at === 0 ? null : { bytes: table.bytes, at: follow(table.bytes, at) };
}

/** Elements of a vector, checked to lie inside of the bytes; 0 where there is none. */
export function vectorSize(table: Table, slot: number, elementBytes: number): number {
  const at = field(table, slot);
  if (at === 0) return 0;
  const vector = follow(table.bytes, at);
  const count = table.bytes.readUInt32LE(vector);
  if (count * elementBytes > table.bytes.length - vector - 4) throw new Error(`a list of ${count} elements`);
  return count;
}

/** Place of a table's field; 0 where it has its default. */
export function field({ bytes, at }: Table, slot: number): number {
  const vtable = at - bytes.readInt32LE(at);
  const entry = 4 + slot * 2;
  if (entry >= bytes.readUInt16LE(vtable)) return 0;
  const offset = bytes.readUInt16LE(vtable + entry);
  return offset === 0 ? 0 : at + offset;
}

/** One table of a vector of tables. */
export function elementAt(table: Table, slot: number, index: number): Table {
  const vector = follow(table.bytes, field(table, slot));
  return { bytes: table.bytes, at: follow(table.bytes, vector + 4 + index * 4) };
}

/** Text; null where there is none. */
export function text(table: Table, slot: number): string | null {
  const length = vectorSize(table, slot, 1);
  if (field(table, slot) === 0) return null;
  const start = follow(table.bytes, field(table, slot)) + 4;
  return table.bytes.toString('utf8', start, start + length);
}

function follow(bytes: Buffer, at: number): number {
  return at + bytes.readUInt32LE(at);
}
