/** docs/featurectl.schema.json is what editors check a schema file with; `npx vitest run test/docs -u` renews it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseSchema, schemaJsonSchema } from '../../src/schema/index.ts';

it('docs/featurectl.schema.json is the form that schema files are checked by', async () => {
  await expect(`${JSON.stringify(schemaJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
    '../../docs/featurectl.schema.json',
  );
});

it('names every key that a schema file may have, and requires what must be there', () => {
  const form = schemaJsonSchema() as {
    properties: Record<string, unknown>;
    required: string[];
    additionalProperties: boolean;
  };
  expect(Object.keys(form.properties)).toEqual(
    expect.arrayContaining([
      'name',
      'key',
      'ttl',
      'ttl_jitter',
      'event_time',
      'timezone',
      'null',
      'features',
    ]),
  );
  expect(form.required.sort()).toEqual(['features', 'key', 'name', 'ttl']);
  expect(form.additionalProperties).toBe(false);
});

it.each(['README.md', 'docs/schema.md'])('the schema file shown in %s is valid', (page) => {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
  expect(parseSchema(yaml, page).features.length).toBeGreaterThan(3);
});
