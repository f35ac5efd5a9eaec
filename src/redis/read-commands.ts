/** The bytes of reading commands, as one text for all keys of a read. */
import type { ByteString } from '../core/types.ts';

/** HGETALL of each key; with `fields`, EXISTS and HMGET of each, since HMGET alone does not tell an absent key. */
export function commandOf(keys: readonly ByteString[], fields: readonly ByteString[] | null): ByteString {
  let command = '';
  if (fields === null) {
    for (const key of keys) command += `*2\r\n$7\r\nHGETALL\r\n$${key.length}\r\n${key}\r\n`;
    return command;
  }
  const head = `*${fields.length + 2}\r\n$5\r\nHMGET\r\n`;
  const tail = fields.map(bulk).join('');
  for (const key of keys) {
    const name = bulk(key);
    command += `*2\r\n$6\r\nEXISTS\r\n${name}${head}${name}${tail}`;
  }
  return command;
}

function bulk(text: ByteString): ByteString {
  return `$${text.length}\r\n${text}\r\n`;
}
