/** What the server is and what this user may do, asked once before the first write. Writes nothing. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { WriteMode, WritePlan } from '../core/types.ts';
import { ask, messageOf, together } from './ask.ts';
import { type ListpackLimits, payloadName, putPayload } from './listpack.ts';
import { scriptFor } from './scripts.ts';
import { isDenied, isUnknown } from './server-errors.ts';
import { runIdIn } from './witness.ts';
import { createView } from './words.ts';
import { type Asker, mayTransact, mustBePermitted } from './writing-rights.ts';

export type WritePathChoice = 'auto' | 'script' | 'pipeline' | 'restore';

export interface ProbeOptions {
  readonly mode: WriteMode;
  readonly path: WritePathChoice;
  readonly fields: number;
  readonly eventTimeField: number | null;
  /** A key of the kind that will be written; nothing is written to it. */
  readonly probeKey: string;
  /** Milliseconds that all questions together may take. */
  readonly askMs: number;
  /** Some TTL may be no whole number of seconds. */
  readonly millis: boolean;
  /** A node of a Cluster: a slot may be on its way to another node. */
  readonly cluster: boolean;
}

export interface Probe {
  readonly plan: WritePlan;
  /** Text and SHA-1 of the script, where rows go by it: the path is script, or restore in merge and newer. */
  readonly script: { readonly text: string; readonly sha: string } | null;
  /** What the server keeps in a listpack, where the path is restore. */
  readonly limits: ListpackLimits | null;
  /** Of the server, until it is started again; null: it does not tell. */
  readonly runId: string | null;
}

type Found = Omit<Probe, 'runId'>;

const PIPELINE_WARNING =
  '--write pipeline: HSET and EXPIRE are two commands, so where HSET fails (the key holds another type, Redis ' +
  'is out of memory) its EXPIRE still gives that key a new TTL; such rows are reported as failed';

/** Throws REDIS_AUTH where a command that is needed is not permitted, REDIS_SERVER where there is none or the mode cannot be done. */
export async function probeServer(client: Redis, options: ProbeOptions): Promise<Probe> {
  const until = Date.now() + options.askMs;
  const server: Asker = (name, ...args) => ask(client, until - Date.now(), name, ...args);
  const takesRestore = options.path === 'auto' || options.path === 'restore';
  const [info, found] = await together(
    serverInfo(server),
    takesRestore ? listpackLimits(server) : Promise.resolve(null),
    checkCommands(server, options),
  );
  const choice = await choosePath(server, options, versionIn(info), found);
  return { ...choice, runId: runIdIn(info) };
}

/** How rows are written. Throws as probeServer. */
async function choosePath(
  server: Asker,
  options: ProbeOptions,
  version: string | null,
  found: ListpackLimits | null,
): Promise<Found> {
  const [restore, loaded] = await together(
    restoreWhy(server, options, version, found),
    // Mode replace wants a script only where it has no RESTORE.
    options.mode === 'replace' ? Promise.resolve(null) : scriptOrWhy(server, options),
  );
  const limits = typeof restore === 'string' ? null : restore;
  if (limits !== null && options.mode === 'replace')
    return { script: null, limits, plan: planOf(options, version, 'restore', RESTORE_WHY) };
  const script = loaded ?? (await scriptOrWhy(server, options));
  if (typeof script !== 'string') {
    if (limits !== null) return { script, limits, plan: planOf(options, version, 'restore', NEW_KEYS_WHY) };
    const because = restore === '' ? SCRIPT_WHY : `${SCRIPT_WHY}; ${String(restore)}`;
    return { script, limits, plan: planOf(options, version, 'script', because) };
  }
  if (options.mode === 'newer' || (options.path !== 'auto' && options.path !== 'pipeline'))
    throw noScript(options, script);
  if (options.mode === 'replace' && !(await mayTransact(server))) throw noTransaction(script);
  const names = options.millis ? ['EXPIRE', 'PEXPIRE'] : ['EXPIRE'];
  await together(...names.map((name) => mustBePermitted(server, name, keyOf(options), 'no number')));
  const pipelineWhy =
    options.path === 'pipeline' ? 'asked for by --write pipeline' : `scripts cannot be used: ${script}`;
  return { script: null, limits: null, plan: planOf(options, version, 'pipeline', pipelineWhy) };
}

const RESTORE_WHY = 'RESTORE sets the whole hash and its TTL in one step';
const NEW_KEYS_WHY =
  'RESTORE creates keys that are new, with their TTL, in one step; a script sets fields and TTL of those that ' +
  'exist, together or not at all';

/** The limits where rows can go by RESTORE, else why not ('' where nobody would expect it). Throws REDIS_SERVER. */
async function restoreWhy(
  server: Asker,
  options: ProbeOptions,
  version: string | null,
  limits: ListpackLimits | null,
): Promise<ListpackLimits | string> {
  if (limits === null) return '';
  const found = await tryRestore(server, options.probeKey, version, limits);
  if (typeof found !== 'string' || options.path === 'auto') return found;
  throw new FeaturectlError(
    'REDIS_SERVER',
    `--write restore: expected a server that takes RESTORE (Redis 7 or later, +restore for this user), found: ${found}`,
  );
}

async function tryRestore(
  server: Asker,
  key: string,
  version: string | null,
  limits: ListpackLimits,
): Promise<ListpackLimits | string> {
  const major = Number(version?.split('.')[0]);
  if (!(major >= 7))
    return `RESTORE of hashes needs Redis 7, found ${version ?? 'a server that does not tell'}`;
  const payload = Buffer.alloc(128);
  const value = Buffer.from('v');
  const hash = {
    count: 1,
    features: [0],
    sources: [value],
    views: [createView(value)],
    starts: [0],
    ends: [1],
  };
  const end = putPayload(payload, 0, hash, [payloadName('f', limits)], limits);
  try {
    // A time in the past: the payload is checked and read, and nothing is stored.
    await server('RESTORE', Buffer.from(key, 'latin1'), '1', payload.subarray(0, end), 'ABSTTL');
    return limits;
  } catch (error) {
    const reason = messageOf(error);
    if (/^BUSYKEY/.test(reason)) return limits;
    if (isDenied(reason) || isUnknown(reason) || /payload|data format|syntax/i.test(reason))
      return `no RESTORE: ${reason}`;
    throw error;
  }
}

/** By CONFIG where this user may ask, else Redis' defaults. */
async function listpackLimits(server: Asker): Promise<ListpackLimits> {
  const read = async (name: string, otherwise: number): Promise<number> => {
    try {
      const reply = (await server('CONFIG', 'GET', name)) as readonly string[];
      return Math.min(Number(reply[1] ?? otherwise), otherwise);
    } catch (error) {
      if (isDenied(messageOf(error)) || isUnknown(messageOf(error))) return otherwise;
      throw error;
    }
  };
  const [entries, valueBytes] = await together(
    read('hash-max-listpack-entries', DEFAULT_LIMITS.entries),
    read('hash-max-listpack-value', DEFAULT_LIMITS.valueBytes),
  );
  return { entries, valueBytes };
}

/** What is above goes as plain pairs, which the server puts into the form it wants. */
const DEFAULT_LIMITS: ListpackLimits = { entries: 128, valueBytes: 64 };

const SCRIPT_WHY = 'a script sets fields and TTL together or not at all';

function planOf(
  { mode }: ProbeOptions,
  server: string | null,
  path: 'script' | 'pipeline' | 'restore',
  why: string,
): WritePlan {
  return {
    mode,
    path,
    why,
    server,
    warnings: path === 'pipeline' && mode === 'merge' ? [PIPELINE_WARNING] : [],
  };
}

function noScript({ mode, path }: ProbeOptions, reason: string): FeaturectlError {
  const byPath = path === 'restore' ? '--write restore writes keys that exist by a script' : '--write script';
  const need = mode === 'newer' ? '--mode newer compares times in a script' : byPath;
  return new FeaturectlError(
    'REDIS_SERVER',
    `${need}: expected a server and user that may run scripts (EVALSHA, SCRIPT LOAD), found: ${reason}`,
  );
}

function noTransaction(script: string): FeaturectlError {
  return new FeaturectlError(
    'REDIS_AUTH',
    '--mode replace: expected a user that may run a script (EVALSHA, SCRIPT LOAD) or a transaction ' +
      `(MULTI, EXEC, DISCARD), found neither; script: ${script}`,
  );
}

/** INFO may be denied to a user, or renamed; then nothing is known. */
async function serverInfo(server: Asker): Promise<string> {
  try {
    return String(await server('INFO'));
  } catch (error) {
    if (isDenied(messageOf(error)) || isUnknown(messageOf(error))) return '';
    throw error;
  }
}

function versionIn(info: string): string | null {
  return /^redis_version:(\S+)/m.exec(info)?.[1] ?? null;
}

/** HELLO is permitted to everyone, from Redis 6 on; before it and where it is renamed, INFO may tell. */
export async function isClusterNode(client: Redis, withinMs: number): Promise<boolean> {
  const hello = await orRefused(ask(client, withinMs, 'HELLO'));
  if (Array.isArray(hello)) return hello[hello.indexOf('mode') + 1] === 'cluster';
  return /^cluster_enabled:1/m.test(String(await orRefused(ask(client, withinMs, 'INFO'))));
}

/** Null where the server answers with an error. */
async function orRefused(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}

/** Sends each command in a form that changes nothing: the ACL is asked before a command looks at its arguments. */
async function checkCommands(server: Asker, options: ProbeOptions): Promise<void> {
  const { mode, probeKey, cluster } = options;
  const key = keyOf(options);
  const asked = cluster ? [mustBePermitted(server, 'ASKING')] : [];
  asked.push(mustBePermitted(server, 'HSET', key, 'field', 'value', 'field without value'));
  if (mode === 'newer') asked.push(mustBePermitted(server, 'HGET', key, 'field'));
  // A key that nobody has.
  if (mode === 'replace')
    asked.push(mustBePermitted(server, 'DEL', Buffer.from(`${probeKey}-${randomUUID()}`, 'latin1')));
  await together(...asked);
}

function keyOf({ probeKey }: ProbeOptions): Buffer {
  return Buffer.from(probeKey, 'latin1');
}

/** The script, loaded, or why there is none. Throws as mustBePermitted where it may be run and a command in it may not. */
async function scriptOrWhy(
  server: Asker,
  options: ProbeOptions,
): Promise<NonNullable<Probe['script']> | string> {
  if (options.path === 'pipeline') return 'not asked for';
  const text = scriptFor(options.mode, options.fields, options.eventTimeField);
  try {
    const sha = String(await server('SCRIPT', 'LOAD', text));
    await together(
      // Without keys the script does nothing; it shows that this user may run it.
      server('EVALSHA', sha, '0'),
      mustBePermitted(server, 'PEXPIREAT', keyOf(options), 'no number'),
      mustBePermitted(server, 'TIME'),
    );
    return { text, sha };
  } catch (error) {
    const reason = messageOf(error);
    const isReply = !(error instanceof FeaturectlError);
    if (isReply && (isDenied(reason) || isUnknown(reason))) return reason;
    throw error;
  }
}

/** Puts the script back into a server that was restarted or flushed. */
export async function reloadScript(client: Redis, script: Probe['script'], withinMs: number): Promise<void> {
  if (script !== null) await ask(client, withinMs, 'SCRIPT', 'LOAD', script.text);
}
