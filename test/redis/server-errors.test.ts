/** What error replies mean, in the words that Redis 6 and 7 use, and slots as Redis computes them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judge, rowCode } from '../../src/redis/server-errors.ts';
import { slotOf } from '../../src/redis/slot.ts';
import { startRedis } from '../support/redis-server.ts';

it.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", 'retry'],
  [
    "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
    'retry',
  ],
  ['LOADING Redis is loading the dataset in memory', 'retry'],
  ['MISCONF Redis is configured to save RDB snapshots', 'retry'],
  ['BUSY Redis is busy running a script.', 'retry'],
  ["READONLY You can't write against a read only replica.", 'reconnect'],
  [
    "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
    'reconnect',
  ],
  ['ERR max number of clients reached', 'reconnect'],
  ['NOSCRIPT No matching script. Please use EVAL.', 'reload'],
  ['NOAUTH Authentication required.', 'fatal'],
  ["NOPERM this user has no permissions to run the 'hset' command", 'fatal'],
  ["NOPERM User loader has no permissions to run the 'hset' command", 'fatal'],
  ["NOPERM User key loader has no permissions to run the 'hset' command", 'fatal'],
  ["ERR ACL failure in script: User a key has no permissions to run the 'expire' command", 'fatal'],
  ["ERR The user executing the script can't run this command or subcommand script: 1", 'fatal'],
  [
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
    'row',
  ],
  ['NOPERM this user has no permissions to access one of the keys used as arguments', 'row'],
  ['NOPERM No permissions to access a key', 'row'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'row'],
  ['ERR something new', 'row'],
])('%s: %s', (text, verdict) => {
  expect(judge(text)).toBe(verdict);
});

it.each([
  ['WRONGTYPE Operation against', 'WRONGTYPE'],
  ['NOPERM No permissions to access a key', 'NOPERM'],
  ['ERR something new', 'REDIS'],
])('%s is a row of %s', (text, code) => {
  expect(rowCode(text)).toBe(code);
});

it('slots are those of CLUSTER KEYSLOT', async () => {
  const server = await startRedis({ cluster: true });
  const text = fc.string({ unit: fc.constantFrom(...'ab{}:\xff\0'), maxLength: 12 });
  for (const key of ['', 'foo', '{}', '{a}b', 'x{a}b', 'x{}y{a}', '{a', '{{a}}', ...fc.sample(text, 200)]) {
    expect(slotOf(key), JSON.stringify(key)).toBe(
      await server.cli('CLUSTER', 'KEYSLOT', Buffer.from(key, 'latin1')),
    );
  }
  await server.stop();
});
