/** Reading a schema file: every form it may have, and all of its problems at once. */
import { describe, expect, it } from 'vitest';
import { parseSchema, schemaFromColumns, schemaJsonSchema } from '../../src/schema/index.ts';
import { encode, schemaOf, storeText, thrown, utf8 } from './support.ts';

/** The lines of a SCHEMA error below its title. */
function problemsOf(text: string): string[] {
  const error = thrown(() => parseSchema(text, 'my.yaml'));
  expect(error.code).toBe('SCHEMA');
  expect(error.message).toMatch(/^my\.yaml has (?:a problem|\d+ problems):\n/);
  return error.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}

const HEAD = 'name: n\nkey: "k:{id}"\nttl: 1h\n';

it('the example of BEHAVIOUR', () => {
  const schema = parseSchema(
    `
name: user_features
key: "features:user:{user_id}"
ttl: 24h
ttl_jitter: 10%
event_time: computed_at
features:
  avg_session_duration: float64
  total_purchases: int64
  preferred_category: { type: string, from: category, required: false, max_bytes: 256 }
  churn_score: { type: float64, min: 0, max: 1 }
  embedding: { type: "vector<float32>[128]", encoding: bytes }
  updated_at: { type: timestamp, value: ingest_time }
null: { tokens: [""], policy: skip }
`,
    'x.yaml',
  );
  expect(schema).toMatchObject({
    name: 'user_features',
    ttlMs: 86_400_000,
    ttlJitter: 0.1,
    eventTimeField: 6,
    fields: [
      'avg_session_duration',
      'total_purchases',
      'preferred_category',
      'churn_score',
      'embedding',
      'updated_at',
      'computed_at',
    ],
  });
});

it('JSON, with tabs', () => {
  const text = JSON.stringify({ name: 'n', key: 'k:{id}', ttl: '1h', features: { x: 'int8' } }, null, '\t');
  expect(parseSchema(text, 'x.json').features.map((feature) => feature.type)).toEqual(['int8']);
});

it('names of features are names, whatever they are', () => {
  const schema = schemaOf(
    '\n  __proto__: string\n  constructor: int64\n  null: string\n  true: string\n  é: string',
  );
  expect(schema.fields).toEqual(['__proto__', 'constructor', 'null', 'true', utf8('é')]);
  const { rows } = encode(
    schema,
    ['id', '__proto__', 'constructor', 'null', 'true', 'é'].map((name) => ({ name, cells: ['1'] })),
  );
  expect(Object.keys(rows[0]?.fields ?? {})).toEqual(['__proto__', 'constructor', 'null', 'true', utf8('é')]);
});

describe('problems', () => {
  it('all at once, each with its path', () => {
    const lines = problemsOf(`
name: n
key: "k:id"
ttl: 0s
ttl_jitter: 200%
timezone: Europe/Berln
evnt_time: t
features:
  a: flaot64
  b: { type: int8, mim: 3 }
  c: { type: string, min: 2 }
  d: { type: int8, default: 300 }
  e: { type: int8, min: 5, max: 2 }
  f: { type: timestamp, value: ingest_time, from: t }
  g: { type: "vector<float32>[0]" }
  h: { type: timestamp, timezone: nowhere }
  i: { type: bool, true: [y], false: [y] }
  j: { type: uint8, max: 256 }
  k: { type: float64, min: abc }
  l: [int8]
  m: { type: string, null: drop }
`);
    const paths = lines.map((line) => line.slice(0, line.indexOf(':')));
    for (const path of ['key', 'ttl', 'ttl_jitter', 'timezone', 'evnt_time']) expect(paths).toContain(path);
    const features = ['a.type', 'b.mim', 'c.min', 'd.default', 'e.min', 'f.from', 'g.type', 'h.timezone'];
    for (const path of [...features, 'i.true', 'j.max', 'k.min', 'l', 'm.null']) {
      expect(paths, path).toContain(`features.${path}`);
    }
    expect(lines.find((line) => line.startsWith('evnt_time'))).toMatch(/event_time/);
    expect(lines.find((line) => line.startsWith('features.b.mim'))).toMatch(/did you mean min/);
  });

  it.each([
    ['integer', 'int64'],
    ['int', 'int64'],
    ['BIGINT', 'int64'],
    ['Int64', 'int64'],
    ['float', 'float64'],
    ['double', 'float64'],
    ['Double Precision', 'float64'],
    ['str', 'string'],
    ['varchar(255)', 'string'],
    ['boolean', 'bool'],
    ['datetime', 'timestamp'],
    ['datetime64[ns]', 'timestamp'],
    ['flaot64', 'float64'],
  ])('the type %s is known by another name', (found, meant) => {
    const features = `{ x: "${found}", y: { type: "${found}" } }`;
    expect(problemsOf(`${HEAD}features: ${features}`)).toEqual(
      ['x', 'y'].map(
        (name) => `features.${name}.type: expected a type, found "${found}"; did you mean ${meant}?`,
      ),
    );
  });

  it('the types stand once, however many are unknown', () => {
    expect(problemsOf(`${HEAD}features: { x: colour, y: __proto__, z: integer }`)).toEqual([
      'features.x.type: expected a type, found "colour"',
      'features.y.type: expected a type, found "__proto__"',
      'features.z.type: expected a type, found "integer"; did you mean int64?',
      expect.stringMatching(/^types are string, int8, .*, vector<float32>\[n\], vector<float64>\[n\]$/),
    ]);
  });

  it.each([
    [
      'a key that is indented too far',
      `${HEAD}features:\n  age: int64\n\n   score: float64\n  x: int8`,
      [
        'my.yaml:7: expected score to begin in the same column as age above, after 2 spaces, found it after 3 spaces; align them, or leave the value of age out',
      ],
    ],
    [
      'a jitter without a percent sign',
      `${HEAD}ttl_jitter: 10\nfeatures: { x: int8 }`,
      ['ttl_jitter: expected a share such as 10%, found 10'],
    ],
    [
      'a key in braces without quotes',
      'name: n\nkey: {user_id}\nttl: 1h\nfeatures: { x: int8 }',
      [
        'key: expected a text, in quotes where it begins with a brace: "features:user:{user_id}", found {"user_id":null}',
      ],
    ],
  ])('%s', (_name, text, lines) => {
    expect(problemsOf(text)).toEqual(lines);
  });

  it.each([
    ['nothing', '', /name, key, ttl and features/],
    ['a list', '- a', /name, key, ttl and features/],
    ['broken YAML', 'a: [1', /./],
    ['a key twice', `${HEAD}ttl: 2h\nfeatures: { x: string }`, /my\.yaml:4: expected each key once/],
    ['a feature twice', `${HEAD}features:\n  x: string\n  x: int8`, /my\.yaml:6: expected each key once/],
    ['no features', `${HEAD}features: {}`, /at least one feature/],
    [
      'a bound that is no exact integer',
      `${HEAD}features: { x: { type: string, max_bytes: 1e300 } }`,
      /max_bytes: expected at most 9007199254740991, found 1e\+300/,
    ],
    ['features missing', HEAD, /^features: expected/],
    ['no ttl', 'name: n\nkey: "k:{id}"\nfeatures: { x: string }', /^ttl: expected/],
    [
      'an event time of another type',
      `${HEAD}event_time: x\nfeatures: { x: int64 }`,
      /^event_time: .*x: int64/,
    ],
    [
      'aliases without end',
      `a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n${HEAD}`,
      /alias/,
    ],
    [
      'ingest_time with a default',
      `${HEAD}features: { x: { type: timestamp, value: ingest_time, default: a } }`,
      /default/,
    ],
  ])('%s', (_name, text, words) => {
    expect(problemsOf(text).join('\n')).toMatch(words);
  });
});

describe('numbers and words are taken as they are written', () => {
  it.each([
    ['{ type: int64, max: 9223372036854775806 }', '9223372036854775807', 'BOUNDS'],
    ['{ type: int64, max: 9223372036854775806 }', '9223372036854775806', '9223372036854775806'],
    ['{ type: uint64, min: "18446744073709551615" }', '18446744073709551614', 'BOUNDS'],
    ['{ type: int64, default: 9007199254740993 }', null, '9007199254740993'],
    ['{ type: decimal, default: 1.50 }', null, '1.50'],
    ['{ type: string, default: 007 }', null, '007'],
    ['{ type: string, default: True }', null, 'True'],
    ['{ type: string, default: "" }', null, ''],
    ['{ type: bool, default: true }', null, '1'],
    ['{ type: date, default: 2024-02-29 }', null, '2024-02-29'],
    ['{ type: "vector<float64>[2]", encoding: json, default: [0, 0.5] }', null, '[0,0.5]'],
    ['{ type: string, null: { tokens: [NULL, ~, "", -999.0, 0x1F, no] } }', 'NULL', null],
    ['{ type: string, null: { tokens: [NULL, ~, "", -999.0, 0x1F, no] } }', '~', null],
    ['{ type: string, null: { tokens: [NULL, ~, "", -999.0, 0x1F, no] } }', '-999.0', null],
    ['{ type: string, null: { tokens: [NULL, ~, "", -999.0, 0x1F, no] } }', '-999', '-999'],
    ['{ type: string, null: { tokens: [NULL, ~, "", -999.0, 0x1F, no] } }', '0x1F', null],
    ['{ type: string, null: { tokens: [NULL] } }', { quoted: 'NULL' }, 'NULL'],
    ['{ type: string, null: { tokens: ["é"] } }', 'é', null],
  ] as const)('%s with %j → %j', (type, cell, stored) => {
    expect(storeText(schemaOf(type), cell)).toBe(stored);
  });
});

describe('without a schema file', () => {
  const columns = [
    { name: 'user_id', type: 'text' as const },
    { name: 'a', type: 'text' as const },
    { name: 'n', type: { kind: 'int', bits: 64, signed: true } as const },
    { name: 'h', type: { kind: 'float', bits: 16 } as const },
    { name: 't', type: { kind: 'time', unit: 'us' } as const },
    { name: 'u', type: { kind: 'uuid' } as const },
    { name: 'd', type: { kind: 'duration', unit: 'ms' } as const },
    { name: 'l', type: { kind: 'list', item: { kind: 'utf8' }, size: null } as const },
    { name: 'z', type: { kind: 'null' } as const },
    { name: 'b', type: { kind: 'binary', size: null } as const },
  ];
  const options = { key: ['user_id'], prefix: 'features:user:', ttl: '24h' };

  it('each other column is a feature of its own type', () => {
    const schema = schemaFromColumns(options, columns);
    expect(schema.features.map((feature) => `${feature.name} ${feature.type}`)).toEqual([
      'a string',
      'n int64',
      'h float32',
      't string',
      'u string',
      'd int64',
      'l json',
      'z string',
      'b bytes',
    ]);
    expect(schema.ttlMs).toBe(86_400_000);
  });

  it.each([
    [['user_id'], 'p:1'],
    [['user_id', 'a'], 'p:1:x%3Ay'],
    [['_row'], 'p:1'],
  ])('key %j', (key, made) => {
    const text = columns.slice(0, 2).concat([{ name: 'x', type: 'text' }]);
    const schema = schemaFromColumns({ ...options, prefix: 'p:', key }, text);
    const { rows } = encode(schema, [
      { name: 'user_id', cells: ['1'] },
      { name: 'a', cells: ['x:y'] },
      { name: 'x', cells: ['v'] },
    ]);
    expect(rows[0]?.key).toBe(made);
  });

  it.each([
    [{ ttl: '24' }, /--ttl: expected/],
    [{ ttlJitter: 'x' }, /--ttl-jitter: expected/],
    [{ timezone: 'Berlin' }, /--timezone: expected/],
  ])('%o is refused', (wrong, words) => {
    expect(thrown(() => schemaFromColumns({ ...options, ...wrong }, columns)).message).toMatch(words);
  });

  it('a source of key columns only has no features', () => {
    expect(thrown(() => schemaFromColumns(options, columns.slice(0, 1))).code).toBe('COLUMN');
  });
});

it('the JSON Schema for editors names every key and the types', () => {
  const form = JSON.stringify(schemaJsonSchema());
  expect(form).toContain('https://json-schema.org/draft/2020-12/schema');
  for (const key of ['ttl_jitter', 'event_time', 'max_bytes', 'allow_nonfinite', 'ingest_time', 'vector']) {
    expect(form).toContain(key);
  }
});
