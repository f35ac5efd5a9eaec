/** JSON of one object a line: columns, exact values, faults of rows, and bounds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/sources/index.ts';
import { failureCode, openBytes, readAll, transcript } from './support.ts';

const NDJSON: OpenOptions = { format: 'ndjson' };
const MAPPED: OpenOptions = { ...NDJSON, mapped: { names: ['id', 'x'], required: ['id'] } };

/** Cells as `line: cells`; a string in double quotes, null and a missing key empty. */
function read(text: string | Uint8Array, options = NDJSON, size: number | readonly number[] = 1 << 20) {
  return transcript(text, options, size);
}

describe('columns', () => {
  test.each<[name: string, text: string, options: OpenOptions, columns: string]>([
    ['keys in order of appearance', '{"b":1,"a":2}\n{"c":3,"a":1}\n', NDJSON, 'b|a|c'],
    ['a schema adds what need not be there', '{"id":1}\n', MAPPED, 'id|x'],
    ['what must be there is not added', '{"y":1}\n', MAPPED, 'y|x'],
    ['no line: what the schema maps', '', MAPPED, 'id|x'],
    ['blank lines only', ' \n\r\n\n', MAPPED, 'id|x'],
    ['no line, no schema', '', NDJSON, ''],
    ['names with escapes and beyond ASCII', '{"caf\\u00e9":1,"ü\\n":2}\n{"café":3}', NDJSON, 'café|ü\n'],
    ['names of Object', '{"__proto__":1,"constructor":2}', NDJSON, '__proto__|constructor'],
  ])('%s', async (_, text, options, columns) => {
    expect((await read(text, options))[0]).toBe(columns);
  });
});

describe.each([1, 2, 3, 7, 1 << 20])('in chunks of %i', (size) => {
  test.each<[name: string, text: string, rows: readonly string[]]>([
    ['values as written', '{"id":1,"x":1.50}\n{"id":2,"x":1E+2}\n', ['1: 1|1.50', '2: 2|1E+2']],
    [
      'int64 and decimals keep every digit',
      '{"id":9223372036854775807,"x":0.1000000000000000055511151231257827}',
      ['1: 9223372036854775807|0.1000000000000000055511151231257827'],
    ],
    ['strings in quotes', '{"id":"a","x":""}\n{"id":"null","x":"1"}', ['1: "a"|""', '2: "null"|"1"']],
    ['null and missing', '{"id":1,"x":null}\n{"id":2}\n', ['1: 1|', '2: 2|']],
    ['bool', '{"id":true,"x":false}', ['1: true|false']],
    ['nested values as JSON', '{"id":[1, {"a":"]"}],"x":{"k":[]}}', ['1: [1, {"a":"]"}]|{"k":[]}']],
    [
      'keys in another order',
      '{"id":1,"x":2}\n{"x":3,"id":4}\n{"id":5,"x":6}',
      ['1: 1|2', '2: 4|3', '3: 5|6'],
    ],
    ['blanks everywhere', '\n  { "id" : 1 ,\t"x" : [ ] }  \r\n \t\n{"id":2}\r\n', ['2: 1|[ ]', '4: 2|']],
    ['a byte order mark', '\ufeff{"id":1,"x":2}\n', ['1: 1|2']],
    ['escapes', '{"id":"\\"\\\\\\/\\b\\f\\n\\r\\t","x":"\\u0041"}', ['1: ""\\/\b\f\n\r\t"|"A"']],
    ['no newline at the end', '{"id":1,"x":2}\n{"id":3,"x":4}', ['1: 1|2', '2: 3|4']],
    ['an empty object', '{"id":1,"x":2}\n{ }\n', ['1: 1|2', '2: |']],
    ['numbers', '{"id":-0,"x":0.5e-7}\n{"id":0,"x":-1}', ['1: -0|0.5e-7', '2: 0|-1']],
  ])('%s', async (_, text, rows) => {
    expect((await read(text, NDJSON, size)).slice(1)).toEqual(rows);
  });
});

const UTF8: readonly (readonly [escaped: string, utf8: string])[] = [
  ['caf\\u00e9', 'café'],
  ['\\ud83d\\uDE00!', '😀!'],
  ['\\u0000\\uFFFD', '\0\ufffd'],
  ['é😀', 'é😀'],
];
test.each(UTF8)('%s is %s in UTF-8', async (escaped, utf8) => {
  const { batches } = await readAll(await openBytes(`{"id":"${escaped}"}`, NDJSON));
  const [column] = batches[0]?.columns ?? [];
  expect(column?.kind === 'text' && Buffer.from(column.cell(0), 'latin1').toString()).toBe(utf8);
});

describe('faults of a row', () => {
  test.each<[line: string, fault: string]>([
    ['{"id":1,"id":2}', 'DUPLICATE_KEY id'],
    ['{"id":1,"\\u0069d":2}', 'DUPLICATE_KEY id'],
    ['{"z":1,"z":2}', 'DUPLICATE_KEY z'],
    ['{"id":1', 'JSON'],
    ['{"id":1}}', 'JSON'],
    ['{"id":1} x', 'JSON'],
    ['{"id":1,}', 'JSON'],
    ['{"id":01}', 'JSON'],
    ['{"id":1.}', 'JSON'],
    ['{"id":.5}', 'JSON'],
    ['{"id":1e}', 'JSON'],
    ['{"id":+1}', 'JSON'],
    ['{"id":NaN}', 'JSON'],
    ['{"id":tru}', 'JSON'],
    ['{"id":"a\tb"}', 'JSON'],
    ['{"id":"\\x"}', 'JSON'],
    ['{"id":"\\u12g4"}', 'JSON'],
    ['{"id":"a}', 'JSON'],
    ['{id:1}', 'JSON'],
    ["{'id':1}", 'JSON'],
    ['{"id" 1}', 'JSON'],
    ['{"id":[1,]}', 'JSON'],
    ['{"id":{"a":1,}}', 'JSON'],
    ['{"id":[1}', 'JSON'],
    ['[1]', 'JSON'],
    ['"id"', 'JSON'],
    ['null', 'JSON'],
    ['1', 'JSON'],
    ['{"id":1}{"id":2}', 'JSON'],
    [`{"id":${'['.repeat(300)}${']'.repeat(300)}}`, 'JSON'],
    ['{"id":"\\ud83d"}', 'INVALID_UTF8 id'],
    ['{"id":"\\ude00\\ud83d"}', 'INVALID_UTF8 id'],
    ['{"id":"\xff"}', 'INVALID_UTF8 id'],
  ])('%s is %s, and the rows around it are read', async (line, fault) => {
    const text = Buffer.from(`{"id":1,"x":2}\n${line}\n{"id":3,"x":4}\n`, 'latin1');
    const [columns, ...rows] = await read(text, MAPPED);
    expect(columns).toBe('id|x');
    expect([rows[0], rows[2]]).toEqual(['1: 1|2', '3: 3|4']);
    expect(rows[1]?.endsWith(` !${fault}`), rows[1]).toBe(true);
  });

  test('says where, and keeps the line', async () => {
    const { batches } = await readAll(await openBytes('{"id":1,"x":2}\n{"id":1,"x":oops}\n', NDJSON));
    const [batch] = batches;
    expect(batch?.faults?.get(1)).toEqual({
      code: 'JSON',
      column: null,
      reason: 'expected a JSON object, found "oops}" at byte 13 of the line',
    });
    expect(batch?.record(1)).toEqual([{ text: '{"id":1,"x":oops}', quoted: true }]);
    expect(batch?.record(0).map(({ text }) => text)).toEqual(['1', '2']);
  });

  test('a line that is none never fits under a single column', async () => {
    const source = await openBytes('{"id":1}\n{"id":\n', MAPPED);
    const { batches } = await readAll(source, [0]);
    expect(batches[0]?.record(1)).toHaveLength(2);
  });

  test('bytes that are no UTF-8 matter in mapped cells only', async () => {
    const text = Buffer.from('{"id":1,"y":"\xff"}\n', 'latin1');
    const { batches } = await readAll(await openBytes(text, MAPPED), [0]);
    expect(batches[0]?.faults).toBeNull();
  });

  test('a key behind the head: ignored with a schema, else a fault', async () => {
    const late = `${'{"id":1}\n'.repeat(130_000)}{"id":2,"late":3}\n`;
    const fault = async (options: OpenOptions) => {
      const { batches } = await readAll(await openBytes(late, options));
      return batches.at(-1)?.faults?.values().next().value?.code ?? null;
    };
    expect(await fault(NDJSON)).toBe('UNKNOWN_KEY');
    expect(await fault(MAPPED)).toBeNull();
  });

  test.each(['', '\n', '\n{"id":2}\n'])('a first line longer than the head, then %j', async (rest) => {
    const long = `{"id":1,"x":"${'a'.repeat(3 << 20)}","last":2}`;
    const source = await openBytes(long + rest, { ...NDJSON, maxRecordSize: 4 << 20 });
    expect(source.columns.map(({ name }) => name)).toEqual(['id', 'x', 'last']);
    expect((await readAll(source)).error).toBeNull();
    expect(await failureCode(openBytes(long + rest, MAPPED))).toBe('RECORD_SIZE');
  });

  test('a mapped key behind the head is read', async () => {
    const late = `${'{"id":1}\n'.repeat(130_000)}{"id":2,"x":3}\n`;
    const { batches } = await readAll(await openBytes(late, MAPPED));
    const last = batches.at(-1);
    expect(last?.record((last?.rowCount ?? 0) - 1).map(({ text }) => text)).toEqual(['2', '3']);
  });
});

describe('the end of reading', () => {
  const small: OpenOptions = { ...NDJSON, maxRecordSize: 64 };
  const long = `{"id":"${'a'.repeat(100)}"}`;
  test.each<[name: string, text: string, options: OpenOptions, code: string | null]>([
    ['a list over the whole file', '[{"id":1},\n{"id":2}]\n', NDJSON, 'SOURCE_FORMAT'],
    ['an object over several lines', '{\n  "id": 1\n}\n', NDJSON, 'SOURCE_FORMAT'],
    ['CSV', 'id,x\n1,2\n', NDJSON, 'SOURCE_FORMAT'],
    ['as CSV', '{"id":1}\n', { format: 'csv' }, 'SOURCE_FORMAT'],
    ['as CSV, with a mark', '\ufeff{"id":1}\n', { format: 'csv' }, 'SOURCE_FORMAT'],
    ['a line too long', `{"id":1}\n${long}\n`, small, 'RECORD_SIZE'],
    ['a last line too long', `{"id":1}\n${long}`, small, 'RECORD_SIZE'],
    ['a line of the limit', `{"id":"${'a'.repeat(64 - 10)}"}\n{"id":1}`, small, null],
  ])('%s', async (_, text, options, code) => {
    for (const size of [1, 50, 1 << 20]) expect(await failureCode(openBytes(text, options, size))).toBe(code);
  });

  test.each([1, 64, 1000])('rows before a line that is too long are read, in chunks of %i', async (size) => {
    const lines = await read(`{"id":1}\n{"id":2}\n${long}\n{"id":3}\n`, small, size);
    expect(lines.slice(0, 3)).toEqual(['id', '1: 1', '2: 2']);
    expect(lines[3]).toMatch(/^RECORD_SIZE .*line 3/);
  });

  test('100 MiB without a line end in bounded memory', async () => {
    const endless = Array.from({ length: 1600 }, () => 1 << 16);
    const text = Buffer.alloc(100 << 20, 'a');
    text.write('{"id":1}\n{"id":"');
    expect(await failureCode(openBytes(text, NDJSON, endless))).toBe('RECORD_SIZE');
  });
});

test('undeclared JSON in a pipe is ndjson', async () => {
  const source = await openBytes('{"id":1}\n');
  expect(source.info.format).toBe('ndjson');
  await source.close();
});

test('reads what JSON.parse reads, at any chunk size', async () => {
  const object = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 5 }), fc.jsonValue(), { minKeys: 1 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(object, { minLength: 1, maxLength: 20 }),
      fc.nat({ max: 40 }),
      async (objects, size) => {
        const text = objects.map((one) => JSON.stringify(one)).join('\n');
        const source = await openBytes(text, NDJSON, size + 1);
        const { batches, error } = await readAll(source, [...source.columns.keys()]);
        expect(error).toBeNull();
        const found = batches.flatMap((batch) =>
          Array.from({ length: batch.rowCount }, (_, row) =>
            source.columns.map((_column, index) => {
              const column = batch.columns[index];
              if (column?.kind !== 'text') throw new Error('expected text');
              const cell = Buffer.from(column.cell(row), 'latin1').toString('utf8');
              if (column.quoted?.[row] === 1) return cell;
              return cell === '' ? null : JSON.parse(cell);
            }),
          ),
        );
        const expected = objects.map((one) =>
          source.columns.map(({ name }) => (Object.hasOwn(one, name) ? one[name] : null)),
        );
        expect(JSON.stringify(found)).toBe(JSON.stringify(expected));
      },
    ),
    { numRuns: 300 },
  );
});
