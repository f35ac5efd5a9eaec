/** The bytes of reading commands, as one text for all keys of a read. */
import type { ByteString } from '../core/types.ts';

export interface ReadForm {
  /** Null: all. */
  readonly fields: readonly ByteString[] | null;
  /** Only where all fields are read. */
  readonly withTtl: boolean;
  /** The slot is on its way to the node that is asked. */
  readonly asking: boolean;
}

const ASKING = '*1\r\n$6\r\nASKING\r\n';

/**
 * HGETALL of each key, with PTTL before it where the TTL is wanted; with `fields`, EXISTS and HMGET of each, since
 * HMGET alone does not tell an absent key. What is told first is a number, what comes last a list.
 */
export function commandOf(keys: readonly ByteString[], { fields, withTtl, asking }: ReadForm): ByteString {
  const first = asking ? ASKING : '';
  let command = '';
  if (fields === null) {
    for (const key of keys) {
      const name = bulk(key);
      if (withTtl) command += `${first}*2\r\n$4\r\nPTTL\r\n${name}`;
      command += `${first}*2\r\n$7\r\nHGETALL\r\n${name}`;
    }
    return command;
  }
  const head = `${first}*${fields.length + 2}\r\n$5\r\nHMGET\r\n`;
  const tail = fields.map(bulk).join('');
  for (const key of keys) {
    const name = bulk(key);
    command += `${first}*2\r\n$6\r\nEXISTS\r\n${name}${head}${name}${tail}`;
  }
  return command;
}

/** Replies to the commands of one key. */
export function repliesOf({ fields, withTtl, asking }: ReadForm): number {
  return (fields === null && !withTtl ? 1 : 2) * (asking ? 2 : 1);
}

function bulk(text: ByteString): ByteString {
  return `$${text.length}\r\n${text}\r\n`;
}
