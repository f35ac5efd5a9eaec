/** fixtures/faults.csv has a row for each fault, named after the code it must be rejected with. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { featurectl } from '../support/run.ts';

it('each row of fixtures/faults.csv is rejected with the code that it is named after', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'featurectl-faults-'));
  try {
    const rejects = join(dir, 'rejects.csv');
    const argv = ['validate', 'fixtures/faults.csv', '--schema', 'fixtures/faults.yaml'];
    const { code, stderr } = await featurectl([...argv, '--max-errors', 'all', '--rejects', rejects]);
    expect(code, stderr).toBe(1);
    const rows: Record<string, string>[] = parse(await readFile(rejects), { columns: true });
    for (const row of rows) {
      if (row._code?.startsWith('KEY_')) continue;
      const name = row._code === 'FIELD_COUNT' ? /\["(FIELD_COUNT)/.exec(row._reason ?? '')?.[1] : row.id;
      expect(name?.replace(/-\d+$/, '')).toBe(row._code);
    }
    expect(rows.filter((row) => row._code?.startsWith('KEY_')).map((row) => row._code)).toEqual([
      'KEY_NULL',
      'KEY_EMPTY',
      'KEY_BLANK',
    ]);
    expect(rows).toHaveLength(23);
    expect(stderr).toMatch(/written\s+4\s+would be: /);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
