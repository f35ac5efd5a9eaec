/** Reads entities back: their fields and TTL, in one pipeline. */
import { FeaturectlError } from '../core/errors.ts';
import type { FeatureReader, ReadOutcome } from '../core/feature-reader.ts';
import type { ByteString } from '../core/types.ts';
import { inTime, messageOf } from './ask.ts';
import type { Connection } from './connect.ts';

const READ_MS = 10_000;

/** `withinMs`: how long one read may take. */
export function createReader(connection: Connection, withinMs = READ_MS): FeatureReader {
  return {
    read: async (keys) => {
      const pipeline = connection.client.pipeline();
      for (const key of keys) {
        // call(): the HGETALL of ioredis makes an object, which loses bytes of names and a field __proto__.
        pipeline.callBuffer('HGETALL', Buffer.from(key, 'latin1'));
        pipeline.pttl(Buffer.from(key, 'latin1'));
      }
      const replies = await answers(inTime(withinMs, pipeline.exec(), 'reading'), connection.shown);
      return keys.map((key, i) => entity(key, replies[2 * i], replies[2 * i + 1]));
    },
  };
}

/** Throws REDIS_CONNECT where the connection was closed or silent; error replies stay with their keys. */
async function answers(work: Promise<PipelineReply[] | null>, shown: string): Promise<PipelineReply[]> {
  let trouble: unknown;
  try {
    const replies = (await work) ?? [];
    // An error that is no reply of the server: the connection ended.
    trouble = replies.find((reply) => reply?.[0] && reply[0].name !== 'ReplyError')?.[0];
    if (!trouble) return replies;
  } catch (error) {
    trouble = error;
  }
  throw new FeaturectlError(
    'REDIS_CONNECT',
    `expected an answer of Redis at ${shown}: ${messageOf(trouble)}`,
    {
      cause: trouble,
    },
  );
}

type PipelineReply = [error: Error | null, result: unknown] | undefined;

function entity(key: ByteString, hash: PipelineReply, ttl: PipelineReply): ReadOutcome {
  const error = hash?.[0] ?? ttl?.[0];
  if (error) return keyError(key, error);
  const fields = fieldMap(hash?.[1]);
  if (fields.size === 0) return null;
  const ttlMs = Number(ttl?.[1]);
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
  if (/^NOPERM\b.*\bkeys?\b/i.test(error.message)) return told;
  throw told;
}
