import type { RunFacts } from '../../src/output/run-facts.ts';

/** A run with a bit of everything. */
export function someFacts(more: Partial<RunFacts> = {}): RunFacts {
  return {
    command: 'ingest',
    version: '0.1.0',
    runId: 'run-1',
    load: 'users',
    startedAt: new Date('2024-01-15T10:00:00.000Z'),
    endedAt: new Date('2024-01-15T10:00:20.500Z'),
    loadedAt: new Date('2024-01-15T10:00:20.500Z'),
    exitCode: 1,
    error: null,
    sources: [
      {
        name: 'users.csv',
        format: 'csv',
        bytesRead: 2048,
        fingerprint: { bytes: 2048, modifiedAt: '2024-01-14T00:00:00.000Z', headSha256: 'ab'.repeat(32) },
      },
      {
        name: '-',
        format: null,
        bytesRead: 0,
        fingerprint: { bytes: null, modifiedAt: null, headSha256: null },
      },
    ],
    options: { redis: 'redis://app:s3cret@db:6379/0', chunkRows: 1000, mode: 'merge' },
    resumedRows: 0,
    counts: { read: 1_000_000, written: 999_983, rejected: 12, failed: 1, skipped: 4 },
    failuresByCode: new Map([
      ['FLOAT', 2],
      ['INT', 10],
      ['WRONGTYPE', 1],
    ]),
    skippedByCode: new Map([['empty', 4]]),
    firstFailures: [
      {
        source: 'users.csv',
        row: 11,
        line: 12,
        stage: 'map',
        code: 'INT',
        column: 'total_purchases',
        reason: 'expected an integer, found "1.5\n"',
      },
    ],
    examples: new Map(),
    rejectsPaths: [],
    plan: { mode: 'merge', path: 'pipeline', why: 'asked for', server: '7.2.5', warnings: [] },
    watched: null,
    workers: 0,
    stats: { bytesSent: 5 * 1024 ** 2, chunksSent: 1000, retries: 2 },
    ...more,
  };
}
