/**
 * What of ioredis is left out of dist/, since every load would spend its time on it: a method, on three prototypes and
 * in two forms, for each of 300 commands, where ours go through `call`; and its Cluster client, where src/redis has a
 * way of its own. A test holds that no other command is sent by its method.
 */
import { readFileSync } from 'node:fs';

/** Commands that are sent by a method: by us (the first two) and by ioredis itself. */
export const METHODS = [
  ...['exec', 'subscribe'],
  ...['auth', 'client', 'hello', 'info', 'monitor', 'multi', 'psubscribe', 'readonly', 'select', 'sentinel'],
  'ssubscribe',
];

export const leanIoredis = {
  name: 'lean-ioredis',
  load(id) {
    if (id.endsWith('/ioredis/built/cluster/index.js')) return 'exports.default = class Cluster {};';
    if (!id.endsWith('/@ioredis/commands/built/commands.json')) return null;
    const all = JSON.parse(readFileSync(id, 'utf8'));
    return JSON.stringify(Object.fromEntries(METHODS.map((name) => [name, all[name]])));
  },
};
