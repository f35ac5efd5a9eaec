/** Reads entities back: their fields and TTL, in one pipeline a server. */
import { FeaturectlError } from '../core/errors.ts';
import type { FeatureReader, ReadOutcome } from '../core/feature-reader.ts';
import type { ByteString } from '../core/types.ts';
import { messageOf } from './ask.ts';
import { createAsk, type RawEntity } from './ask-entities.ts';
import { createClusterReader } from './cluster-reader.ts';
import type { Connection } from './connect.ts';
import { judge } from './server-errors.ts';

const READ_MS = 10_000;

/** `withinMs`: how long one read may take. A Cluster is found by its redirections, asked for or not. */
export function createReader(connection: Connection, withinMs = READ_MS): FeatureReader {
  const askServer = createAsk(true);
  const readCluster = createClusterReader(connection, askServer, connection.client);
  let isCluster = connection.cluster;
  const read = async (keys: readonly ByteString[]): Promise<readonly RawEntity[]> => {
    if (isCluster) return readCluster(keys, withinMs);
    const raw = await askServer(connection.client, keys, false, withinMs);
    isCluster = raw.some(({ error }) => error !== null && judge(error.message) === 'redirect');
    return isCluster ? readCluster(keys, withinMs) : raw;
  };
  return {
    read: async (keys) => {
      const raw = await read(keys).catch((error: unknown) => {
        throw error instanceof FeaturectlError ? error : noAnswer(error, connection.shown);
      });
      return keys.map((key, i) => entity(key, raw[i] as RawEntity));
    },
  };
}

function noAnswer(error: unknown, shown: string): FeaturectlError {
  const text = `expected an answer of Redis at ${shown}: ${messageOf(error)}`;
  return new FeaturectlError('REDIS_CONNECT', text, { cause: error });
}

function entity(key: ByteString, { error, hash, ttl }: RawEntity): ReadOutcome {
  if (error) return keyError(key, error);
  const fields = fieldMap(hash);
  if (fields.size === 0) return null;
  const ttlMs = Number(ttl);
  return { fields, ttlMs: ttlMs < 0 ? null : ttlMs };
}

/** A flat list of names and values. */
function fieldMap(reply: unknown): Map<ByteString, ByteString> {
  const fields = new Map<ByteString, ByteString>();
  const flat = (reply ?? []) as readonly Buffer[];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    fields.set((flat[i] as Buffer).latin1Slice(), (flat[i + 1] as Buffer).latin1Slice());
  }
  return fields;
}

/** What is wrong with this key alone; throws what is wrong with all of them. */
function keyError(key: ByteString, error: Error): FeaturectlError {
  const shown = Buffer.from(key, 'latin1').toString('utf8');
  if (/^WRONGTYPE/.test(error.message)) {
    return new FeaturectlError('REDIS_SERVER', `${shown}: expected a hash, found a key of another type`);
  }
  const code = /^(NOPERM|NOAUTH)/.test(error.message) ? 'REDIS_AUTH' : 'REDIS_SERVER';
  const told = new FeaturectlError(code, `${shown}: Redis refused to read it: ${error.message}`, {
    cause: error,
  });
  // A user may read some keys and not others.
  if (/^NOPERM\b.* to access .*\bkeys?\b/i.test(error.message)) return told;
  throw told;
}
