/** A disk that is full from the start, made of memory where this user may mount one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { start } from '../support/spawn.ts';

let desk: Desk;
let disk: string;
let isMounted = false;

beforeAll(async () => {
  desk = await openDesk();
  disk = desk.path('disk');
  mkdirSync(disk);
  isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0;
});
afterAll(async () => {
  if (isMounted) spawnSync('umount', [disk]);
  await desk.close();
});

it('no room for the first checkpoint: exit 4 before the first row, and the process ends', async ({
  skip,
}) => {
  if (!isMounted) skip();
  const space = Buffer.alloc(4096);
  for (let i = 0; i < 20; i += 1) {
    try {
      writeFileSync(join(disk, `fill${i}`), space);
    } catch {
      break;
    }
  }
  const source = await desk.file('in.csv', 'id,x\n1,a\n2,b\n');
  const schema = await desk.file('s.yaml', schemaText({}));
  const argv = ['ingest', source, '--schema', schema, '--checkpoint', join(disk, 'cp'), '--quiet'];
  const { code, stderr } = await start(argv, { REDIS_URL: desk.redis.url }).done;
  expect(stderr).toMatch(/checkpoint .*no space is left.*OUTPUT/);
  expect(code).toBe(4);
  expect(await desk.client.dbsize()).toBe(0);
});
