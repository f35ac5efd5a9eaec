/** Takes the script calls of a chunk apart into calls of one row each, to find the row that is refused. */
import type { ByteString } from '../core/types.ts';
import { addUnit, type Chunk } from './chunk.ts';
import { bulk } from './resp.ts';

export interface CallShape {
  /** Fields of the schema. */
  readonly width: number;
  /** Arguments of a row before its values: in mode newer its event time. */
  readonly lead: number;
}

/** The letter of the first TTL and of the first shape of a call. */
const FIRST_LETTER = 49;

/** Bytes from the end of a call's keys to the digits of `from`: "$2\r\n". */
export const FROM_DIGITS_AT = 4;

/** Where `from` stands in each of the new calls; null where every call holds one row already. */
export function splitCalls(chunk: Chunk, shape: CallShape): Int32Array | null {
  if (chunk.units === chunk.rows) return null;
  const calls: string[] = [];
  const firstRow = chunk.unitRow[0] ?? 0;
  for (let unit = 0; unit < chunk.units; unit += 1) {
    const end = unit + 1 < chunk.units ? (chunk.unitStart[unit + 1] as number) : chunk.length;
    const text = chunk.buffer.latin1Slice(chunk.unitStart[unit], end);
    calls.push(...rowCalls(readBulks(text), shape));
  }
  return replaceCalls(chunk, calls, firstRow);
}

/** The bulk strings of one RESP command. */
function readBulks(text: string): string[] {
  const items: string[] = [];
  let at = text.indexOf('\r\n') + 2;
  while (at < text.length) {
    const head = text.indexOf('\r\n', at);
    const length = Number(text.slice(at + 1, head));
    items.push(text.slice(head + 2, head + 2 + length));
    at = head + 2 + length + 2;
  }
  return items;
}

function rowCalls(items: readonly string[], { width, lead }: CallShape): string[] {
  const [, sha = '', count = '0'] = items;
  const keys = items.slice(3, 3 + Number(count));
  const args = items.slice(3 + keys.length);
  const names = args.slice(1, 1 + width);
  const [ttlCount = '', shapeCount = '', forms = ''] = args.slice(1 + width);
  const lists = 1 + width + 3;
  const ttls = args.slice(lists, lists + Number(ttlCount));
  const shapes = args.slice(lists + ttls.length, lists + ttls.length + Number(shapeCount));
  let at = lists + ttls.length + shapes.length;
  return keys.map((key, row) => {
    const shape = shapes[forms.charCodeAt(2 * row) - FIRST_LETTER];
    const ttl = ttls[forms.charCodeAt(2 * row + 1) - FIRST_LETTER] ?? '0';
    const values = args.slice(at, at + lead + (shape === undefined ? width : ones(shape)));
    at += values.length;
    return oneRowCall(sha, names, { key, ttlMs: ttl, shape: shape ?? null, values });
  });
}

/** The TTL of one row in milliseconds, from the words of its call; 0: none. `width`: fields of the schema. */
export function callTtl(words: readonly string[], width: number, row: number): number {
  const [ttlCount = '', , forms = '', ...lists] = words.slice(3 + Number(words[2]) + 1 + width);
  const ttls = lists.slice(0, Number(ttlCount));
  return Number(ttls[forms.charCodeAt(2 * row + 1) - FIRST_LETTER] ?? 0);
}

/** What a call says of one row. */
export interface CallRow {
  readonly key: ByteString;
  readonly ttlMs: string;
  /** One letter a field (scripts.ts); null: all are present. */
  readonly shape: string | null;
  /** In mode newer its event time, then the values that are present. */
  readonly values: readonly ByteString[];
}

export function oneRowCall(sha: string, names: readonly ByteString[], row: CallRow): string {
  const own = row.shape === null ? ['0', '01', row.ttlMs] : ['1', '11', row.ttlMs, row.shape];
  const words = ['EVALSHA', sha, '1', row.key, '00', ...names, '1', ...own, ...row.values];
  return `*${words.length}\r\n${words.map(bulk).join('')}`;
}

function ones(shape: string): number {
  return shape.split('1').length - 1;
}

function replaceCalls(chunk: Chunk, calls: readonly string[], firstRow: number): Int32Array {
  const text = calls.join('');
  if (text.length > chunk.buffer.length) chunk.buffer = Buffer.allocUnsafeSlow(text.length);
  chunk.buffer.latin1Write(text, 0);
  chunk.length = text.length;
  const from = new Int32Array(chunk.unitStart.length);
  let start = 0;
  chunk.units = 0;
  for (const [unit, call] of calls.entries()) {
    addUnit(chunk, start, firstRow + unit, 1, 0);
    from[unit] = start + fromOffset(call);
    start += call.length;
  }
  // The rows before `told` are settled: their calls are passed over.
  chunk.unit = chunk.told;
  return from;
}

/** Position of the two digits: after *n, EVALSHA, the hash, the number 1 and the key. */
export function fromOffset(call: string): number {
  let at = call.indexOf('\r\n') + 2;
  for (let item = 0; item < 4; item += 1) {
    const head = call.indexOf('\r\n', at);
    at = head + 2 + Number(call.slice(at + 1, head)) + 2;
  }
  return at + FROM_DIGITS_AT;
}
