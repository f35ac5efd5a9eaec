/**
 * The Writer as simply as it can be said: one row at a time through ioredis's own pipeline(), each answer
 * awaited. Right on a healthy server, and what the fast writers are compared with.
 */
import type { Redis } from 'ioredis';
import type {
  ByteString,
  RowFault,
  RowOrigin,
  WriteListener,
  WriteMode,
  Writer,
} from '../../src/core/types.ts';

export interface ReferenceOptions {
  readonly fields: readonly ByteString[];
  readonly mode: WriteMode;
  readonly eventTimeField: number | null;
}

interface Row {
  readonly key: Buffer;
  readonly ttlMs: number;
  readonly eventTime: ByteString;
  readonly values: Map<number, ByteString | null>;
}

interface Committed extends Row {
  readonly origin: RowOrigin;
  readonly row: number;
}

/** Rows wait until room() or drain(). */
export function createReferenceWriter(
  client: Redis,
  options: ReferenceOptions,
  listener: WriteListener,
): Writer {
  let open: Row | null = null;
  let waiting: Committed[] = [];
  const settle = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    for (const row of rows) await writeRow(client, options, listener, row);
  };
  return {
    plan: { mode: options.mode, path: 'pipeline', why: 'the reference', server: null, warnings: [] },
    begin: (key, keyLength, ttlMs, eventTime) => {
      open = { key: Buffer.from(key.subarray(0, keyLength)), ttlMs, eventTime, values: new Map() };
    },
    value: (feature, bytes) => {
      open?.values.set(feature, bytes);
    },
    cell: (feature, bytes, start, end) => {
      open?.values.set(feature, Buffer.from(bytes.subarray(start, end)).toString('latin1'));
    },
    commit: (origin, row) => {
      if (open) waiting.push({ ...open, origin, row });
      return waiting.length >= 100;
    },
    abort: () => {
      open = null;
    },
    room: settle,
    drain: settle,
    abandon: async () => {
      const rows = waiting;
      waiting = [];
      const fault: RowFault = { code: 'UNSETTLED', column: null, reason: 'given up' };
      for (const { origin, row } of rows) listener.failed(origin, row, fault);
    },
    stats: () => ({ bytesSent: 0, chunksSent: 0, retries: 0 }),
    lastTaken: () => [],
    close: async () => client.disconnect(),
  };
}

async function writeRow(
  client: Redis,
  options: ReferenceOptions,
  listener: WriteListener,
  row: Committed,
): Promise<void> {
  const type = await client.type(row.key);
  if (options.mode !== 'replace' && type !== 'hash' && type !== 'none') {
    const fault: RowFault = { code: 'WRONGTYPE', column: null, reason: `the key holds a ${type}` };
    return listener.failed(row.origin, row.row, fault);
  }
  const order = options.mode === 'newer' ? await compareStored(client, options, row) : 1;
  if (order < 0) return listener.skipped(row.origin, 'stale', 1);
  const pipeline = client.pipeline();
  if (order > 0) {
    if (options.mode === 'replace') pipeline.del(row.key);
    for (const [feature, value] of row.values) {
      const name = Buffer.from(options.fields[feature] ?? '', 'latin1');
      if (value === null) pipeline.hdel(row.key, name);
      else pipeline.hset(row.key, name, Buffer.from(value, 'latin1'));
    }
  }
  if (row.ttlMs > 0) pipeline.pexpire(row.key, row.ttlMs);
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  if (order === 0) listener.skipped(row.origin, 'unchanged', 1);
  else listener.written(row.origin, 1);
}

/** The sign of the row's event time minus the stored one; 1 where none is stored. */
async function compareStored(client: Redis, options: ReferenceOptions, row: Row): Promise<number> {
  const stored = await client.hget(row.key, options.fields[options.eventTimeField ?? 0] ?? '');
  if (stored === null) return 1;
  const difference = instant(row.eventTime) - instant(stored);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/** Nanoseconds since 1970 of an RFC 3339 UTC time or a date; of an integer, itself. */
function instant(text: string): bigint {
  if (/^[+-]?\d+$/.test(text)) return BigInt(text);
  const [, whole = '', fraction = ''] = /^([^.Z]*)(?:\.(\d+))?Z?$/.exec(text) ?? [];
  const time = whole.includes('T') ? whole : `${whole}T00:00:00`;
  return BigInt(Date.parse(`${time}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
