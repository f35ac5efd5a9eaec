/** Asks one server for entities, in one pipeline. */
import type { Redis } from 'ioredis';
import type { ByteString } from '../core/types.ts';
import { inTime } from './ask.ts';

/** What a key was answered: its hash and its TTL, or the first error reply. */
export interface RawEntity {
  readonly error: Error | null;
  readonly hash: unknown;
  readonly ttl: unknown;
}

/**
 * With ASKING where told. Error replies stay with their keys; rejects where the connection was closed or silent.
 */
export type AskServer = (
  client: Redis,
  keys: readonly ByteString[],
  asking: boolean,
  withinMs: number,
) => Promise<readonly RawEntity[]>;

/** HGETALL of each key, and PTTL where the TTL is wanted. */
export function createAsk(withTtl: boolean): AskServer {
  return async (client, keys, asking, withinMs) => {
    const pipeline = client.pipeline();
    for (const key of keys) {
      const name = Buffer.from(key, 'latin1');
      if (asking) pipeline.call('ASKING');
      // call(): the HGETALL of ioredis makes an object, which loses bytes of names and a field __proto__.
      pipeline.callBuffer('HGETALL', name);
      if (asking && withTtl) pipeline.call('ASKING');
      if (withTtl) pipeline.pttl(name);
    }
    const all = (await inTime(withinMs, pipeline.exec(), 'reading')) ?? [];
    // An error that is no reply of the server: the connection ended.
    const lost = all.find(([error]) => error && error.name !== 'ReplyError');
    if (lost) throw lost[0];
    const replies = asking ? all.filter((_, i) => i % 2 === 1) : all;
    const step = withTtl ? 2 : 1;
    return keys.map((_, i) => {
      const [hashError, hash] = replies[step * i] as PipelineReply;
      const [ttlError, ttl] = withTtl ? (replies[step * i + 1] as PipelineReply) : [null, null];
      return { error: hashError ?? ttlError, hash, ttl };
    });
  };
}

type PipelineReply = [error: Error | null, result: unknown];
