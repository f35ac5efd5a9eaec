/** Keys of a pattern by SCAN, which never holds the server up; of a Cluster those of every master. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString } from '../core/types.ts';
import { inTime, messageOf } from './ask.ts';
import type { Connection } from './connect.ts';
import { isClusterNode } from './probe.ts';
import { isDenied } from './server-errors.ts';
import { readTopology } from './topology.ts';

const ANSWER_MS = 10_000;

/** Buckets of the server's table that one SCAN looks at: the longest that others wait for it. */
const COUNT = 500;

/**
 * Keys that fit the glob, some hundred at a time. A key that is there from beginning to end is given at least once; it
 * may be given twice, when the server's table grows or shrinks or a slot moves meanwhile. Throws REDIS_AUTH where SCAN
 * is not permitted, REDIS_CONNECT where no answer comes.
 */
export async function* scanKeys(
  connection: Connection,
  pattern: ByteString,
): AsyncGenerator<readonly ByteString[]> {
  try {
    for await (const client of masters(connection)) yield* scanServer(client, pattern);
  } catch (error) {
    throw error instanceof FeaturectlError ? error : scanError(error, connection.shown);
  }
}

/** One client for each server that holds keys of its own, one after the other. */
async function* masters(connection: Connection): AsyncGenerator<Redis> {
  if (!connection.cluster && !(await isClusterNode(connection.client, ANSWER_MS))) {
    yield connection.client;
    return;
  }
  const topology = await readTopology(connection, connection.client, ANSWER_MS);
  for (const node of topology.masters()) {
    const client = await connection.openAt(node);
    try {
      yield client;
    } finally {
      client.disconnect();
    }
  }
}

/** The keys of one server. */
export async function* scanServer(client: Redis, pattern: ByteString): AsyncGenerator<readonly ByteString[]> {
  let cursor = '0';
  do {
    const args = [cursor, 'MATCH', Buffer.from(pattern, 'latin1'), 'COUNT', String(COUNT)];
    const reply = await inTime(ANSWER_MS, client.callBuffer('SCAN', args), 'SCAN');
    const [next, keys] = reply as [Buffer, readonly Buffer[]];
    cursor = next.toString('latin1');
    if (keys.length > 0) yield [...new Set(keys.map((key) => key.latin1Slice()))];
  } while (cursor !== '0');
}

function scanError(error: unknown, shown: string): FeaturectlError {
  const text = messageOf(error);
  if (isDenied(text)) {
    return new FeaturectlError(
      'REDIS_AUTH',
      `expected a user that may run SCAN, found: ${text}. Grant it (ACL SETUSER NAME +scan), or give --entities`,
      { cause: error },
    );
  }
  return new FeaturectlError('REDIS_CONNECT', `expected an answer of Redis at ${shown}: ${text}`, {
    cause: error,
  });
}
