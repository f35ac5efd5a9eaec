/** The row encoder: which columns it reads, what a row becomes, and what is told of rows that it refuses. */
import { describe, expect, it } from 'vitest';
import { encode, schemaOf, thrown } from './support.ts';

const id = (...cells: string[]) => ({ name: 'id', cells });

describe('columns', () => {
  it('only those that the schema names are read, in the order of the source', () => {
    const schema = schemaOf('\n  b: { type: string, from: c }\n  a: string');
    const { selected, rows } = encode(schema, [
      { name: 'a', cells: ['1'] },
      { name: 'unused', cells: ['2'] },
      { name: 'c', cells: ['3'] },
      id('k'),
    ]);
    expect(selected).toEqual([0, 2, 3]);
    expect(rows[0]?.fields).toEqual({ b: '3', a: '1' });
  });

  it('all that are missing are told at once, with the name that was meant', () => {
    const schema = schemaOf('\n  x: string\n  y: { type: string, from: Total_Purchases }\n  z: string');
    const error = thrown(() =>
      encode(schema, [
        { name: 'ID', cells: ['1'] },
        { name: 'x', cells: ['1'] },
        { name: 'total-purchases', cells: ['1'] },
      ]),
    );
    expect(error.code).toBe('COLUMN');
    expect(error.message).toMatch(/column "id" \(key\).*"ID"/);
    expect(error.message).toMatch(/column "Total_Purchases" \(feature y\).*"total-purchases"/);
    expect(error.message).toMatch(/column "z" \(feature z\)/);
  });

  it('one that is not required may be absent: its default, else null', () => {
    const schema = schemaOf(
      '\n  x: string\n  y: { type: int8, required: false, default: 7 }\n  z: { type: int8, required: false }',
    );
    const { rows } = encode(schema, [id('1'), { name: 'x', cells: ['a'] }]);
    expect(rows[0]?.fields).toEqual({ x: 'a', y: '7' });
  });

  it('types that do not fit are told at once', () => {
    const error = thrown(() =>
      encode(schemaOf('\n  x: int8\n  y: bool'), [
        id('1'),
        { name: 'x', type: { kind: 'float', bits: 64 }, values: [1] },
        { name: 'y', type: { kind: 'float', bits: 64 }, values: [1] },
      ]),
    );
    expect(error.code).toBe('TYPE');
    expect(error.message).toMatch(/feature x.*feature y/s);
  });
});

describe('nulls', () => {
  it.each([
    ['skip', { y: 'v' }],
    ['empty', { x: '', y: 'v' }],
  ])('policy %s', (policy, fields) => {
    const { rows } = encode(schemaOf(`\n  x: { type: int64, null: ${policy} }\n  y: string`), [
      id('1'),
      { name: 'x', cells: [null] },
      { name: 'y', cells: ['v'] },
    ]);
    expect(rows[0]?.fields).toEqual(fields);
  });

  it('policy error names the column, and no value of the row reaches the sink', () => {
    const { rows, faults } = encode(schemaOf('\n  y: string\n  x: { type: int64, from: c, null: error }'), [
      id('1', '2'),
      { name: 'y', cells: ['v', 'w'] },
      { name: 'c', cells: [null, '0'] },
    ]);
    expect(faults).toMatchObject([{ code: 'NULL', column: 'c', row: 0, stage: 'map' }]);
    expect(rows.map((row) => row.fields)).toEqual([{ y: 'w', x: '0' }]);
  });

  it('policy remove takes the field away in modes replace and newer, and is refused in merge', () => {
    const schema = schemaOf(
      '\n  x: { type: string, null: remove }\n  y: string\n  t: timestamp',
      'event_time: t',
    );
    const columns = [
      id('1', '2'),
      { name: 'x', cells: [null, null] },
      { name: 'y', cells: ['v', null] },
      { name: 't', cells: ['2024-01-15T08:00:00Z', null] },
    ];
    for (const mode of ['replace', 'newer'] as const) {
      const { rows, empty } = encode(schema, columns, { mode });
      expect(rows.map((row) => row.fields)).toEqual([{ x: null, y: 'v', t: '2024-01-15T08:00:00Z' }]);
      expect(empty).toBe(1);
    }
    expect(thrown(() => encode(schema, columns)).code).toBe('SCHEMA');
  });

  it('in typed columns only nulls are null', () => {
    const schema = schemaOf('string', 'null: { tokens: ["", NA] }');
    const { rows, empty } = encode(schema, [
      id('1', '2', '3'),
      { name: 'x', type: { kind: 'utf8' }, values: ['', 'NA', null] },
    ]);
    expect(rows.map((row) => row.fields.x)).toEqual(['', 'NA']);
    expect(empty).toBe(1);
  });

  it('a row without a value is empty: a stamp makes none, a default and 0 do', () => {
    const stamp = 'at: { type: timestamp, value: ingest_time }';
    const x = (options: string, cell: string | null) =>
      encode(schemaOf(`\n  x: ${options}\n  ${stamp}`), [id('1'), { name: 'x', cells: [cell] }]);
    expect(x('string', null)).toMatchObject({ empty: 1, rows: [] });
    expect(x('{ type: string, default: a }', null)).toMatchObject({
      empty: 0,
      rows: [{ fields: { x: 'a' } }],
    });
    expect(x('int64', '0')).toMatchObject({ empty: 0, rows: [{ fields: { x: '0' } }] });
    expect(x('{ type: string, null: empty }', null)).toMatchObject({
      empty: 0,
      rows: [{ fields: { x: '' } }],
    });
  });
});

describe('mode newer', () => {
  const head = 'event_time: t';
  const columns = (...times: (string | null)[]) => [
    id(...times.map((_, i) => String(i))),
    { name: 'x', cells: times.map(() => 'v') },
    { name: 't', cells: times },
  ];

  it('gives the stored text of the event time, which is a feature too', () => {
    const { rows } = encode(schemaOf('string', head), columns('2024-01-15T10:00:00.50+02:00'), {
      mode: 'newer',
    });
    expect(rows).toMatchObject([
      { eventTime: '2024-01-15T08:00:00.50Z', fields: { x: 'v', t: '2024-01-15T08:00:00.50Z' } },
    ]);
  });

  it.each(['skip', 'empty'])('a null event time is a fault of the row, also under policy %s', (policy) => {
    const schema = schemaOf(`\n  x: string\n  t: { type: timestamp, null: ${policy} }`, head);
    const { rows, faults } = encode(schema, columns(null, '2024-01-15T08:00:00Z'), { mode: 'newer' });
    expect(faults).toMatchObject([{ code: 'EVENT_TIME', column: 't', row: 0 }]);
    expect(rows).toHaveLength(1);
    expect(encode(schema, columns(null)).rows).toHaveLength(1);
  });

  it('needs event_time in the schema', () => {
    const error = thrown(() => encode(schemaOf('string'), columns(null), { mode: 'newer' }));
    expect(error.code).toBe('SCHEMA');
    expect(error.message).toMatch(/event_time/);
  });

  it('other modes give none', () => {
    const { rows } = encode(schemaOf('string', head), columns('2024-01-15T08:00:00Z'));
    expect(rows[0]?.eventTime).toBe('');
  });
});

describe('steps', () => {
  const cells = ['1', 'x', '', '4', '5', 'y', ''];
  const columns = [id('a', 'b', 'c', 'd', 'e', 'f', 'g'), { name: 'x', cells }];
  const unread = new Map([
    [3, { code: 'FIELD_COUNT', column: null, reason: 'expected 2, found 3' } as const],
  ]);

  it.each([1, 2, Number.POSITIVE_INFINITY])(
    'every row is in one count, with room after %s rows',
    (roomEvery) => {
      const { rows, faults, empty } = encode(schemaOf('int64'), columns, { roomEvery, faults: unread });
      expect(rows.map((row) => [row.row, row.key])).toEqual([
        [0, 'k:a'],
        [4, 'k:e'],
      ]);
      expect(faults.map(({ row, stage, code }) => [row, stage, code])).toEqual([
        [1, 'map', 'INT'],
        [3, 'read', 'FIELD_COUNT'],
        [5, 'map', 'INT'],
      ]);
      expect(empty).toBe(2);
    },
  );
});

describe('reasons', () => {
  const reason = (type: string, cell: string): string =>
    encode(schemaOf(type), [id('1'), { name: 'x', cells: [cell] }]).faults[0]?.reason ?? '';

  it.each([
    ['int8', '300', 'expected int8 (-128 to 127), found "300"'],
    ['int64', 'é\u0007\n', 'expected int64 in decimal digits, found "é\\u0007\\n"'],
    ['{ type: float64, min: 0, max: 1 }', '2', 'expected a value from 0 to 1, found "2"'],
    [
      'vector<float32>[3]',
      '[1,2,null]',
      'expected numbers without a null among them, found "[1,2,null]": number 3 of 3',
    ],
    [
      'vector<float32>[2]',
      '[1,NaN]',
      'expected a JSON array of numbers, found "[1,NaN]"; allow_nonfinite: true takes NaN and Infinity',
    ],
    [
      'vector<float32>[2]',
      '[ 0.5  -1.]',
      'expected a JSON array of numbers, found "[ 0.5  -1.]"; numpy arrays become JSON by json.dumps(x.tolist())',
    ],
    ['vector<float32>[2]', '1,2', 'expected a JSON array of numbers, found "1,2"'],
  ])('%s of %j', (type, cell, text) => {
    expect(reason(type, cell)).toBe(text);
  });

  it('show 40 characters at most', () => {
    expect(reason('int64', 'é'.repeat(5000))).toContain(`"${'é'.repeat(40)}…"`);
    expect(reason('int64', '😀'.repeat(5000)).length).toBeLessThan(140);
  });
});
