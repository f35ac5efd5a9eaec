/** A load that is killed with SIGKILL at random moments and resumed until it is complete. */
import { readFile, rm } from 'node:fs/promises';
import type { Desk, StoredHash } from './desk.ts';
import { start } from './spawn.ts';

/** What a load leaves, as far as it must not depend on kills. */
export interface Outcome {
  readonly code: number;
  readonly counts: unknown;
  readonly failures: unknown;
  readonly rejects: string;
  readonly stored: Record<string, StoredHash['fields']>;
  readonly ttls: { readonly min: number; readonly max: number };
}

export interface KilledLoad {
  /** Without --checkpoint, --rejects and --report, which are added. */
  readonly argv: readonly string[];
  /** Makes Redis what it is before the load. */
  prepare(): Promise<void>;
  /** Takes away what is no hash, before Redis is read. */
  tidy(): Promise<void>;
  /** Milliseconds from start to kill; null: no kill. */
  killAfter(): number | null;
  /** Stands in for the program. */
  readonly entry?: string;
}

export interface Killed extends Outcome {
  readonly kills: number;
}

/** Throws where a run ends with another code than a kill or the load's own end gives. */
export async function loadKilled(
  desk: Desk,
  { argv, prepare, tidy, killAfter, entry }: KilledLoad,
): Promise<Killed> {
  const [checkpoint, rejects, report] = ['checkpoint.json', 'bad.csv', 'report.json'].map(desk.path) as [
    string,
    string,
    string,
  ];
  for (const file of [checkpoint, rejects, report]) await rm(file, { force: true });
  await prepare();
  const full = [...argv, '--checkpoint', checkpoint, '--rejects', rejects, '--report', report];
  for (let kills = 0; ; kills++) {
    const running = start(full, { REDIS_URL: desk.redis.url }, undefined, entry);
    const after = killAfter();
    const timer = after === null ? null : setTimeout(() => running.child.kill('SIGKILL'), after);
    const done = await running.done;
    if (timer) clearTimeout(timer);
    if (done.signal === 'SIGKILL') continue;
    if (done.code > 1) throw new Error(`exit ${done.code}: ${done.stderr}`);
    await tidy();
    return { kills, ...(await outcomeOf(desk, done.code, rejects, report)) };
  }
}

async function outcomeOf(desk: Desk, code: number, rejects: string, report: string): Promise<Outcome> {
  const { counts, failures_by_code, skipped_by_code } = JSON.parse(await readFile(report, 'utf8'));
  const hashes = await desk.take();
  const ttls = Object.values(hashes).map(({ ttlMs }) => ttlMs);
  const stored: Outcome['stored'] = Object.create(null);
  for (const [key, { fields }] of Object.entries(hashes)) stored[key] = fields;
  return {
    code,
    counts,
    failures: { ...failures_by_code, ...skipped_by_code },
    rejects: await readFile(rejects, 'latin1'),
    stored,
    ttls: { min: Math.min(...ttls), max: Math.max(...ttls) },
  };
}
