/** As properties.test.ts, for json, vectors, strings and bytes; and for any cell of any type. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LogicalType } from '../../src/core/types.ts';
import { encode, schemaOf, storeText, storeTyped, utf8 } from './support.ts';

const RUNS = { numRuns: 1000 };

it('json text stays the same JSON, without blanks', () => {
  const schema = schemaOf('json');
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.nat(3), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      const stored = storeText(schema, spaced);
      expect(stored).toBe(utf8(JSON.stringify(JSON.parse(text))));
    }),
    RUNS,
  );
});

it('what JSON.parse refuses is refused', () => {
  const schema = schemaOf('json');
  const soup = fc.string({
    unit: fc.constantFrom('{', '}', '[', ']', ',', ':', '"', 'a', '1', '0', '-', '.', 'e', '\\', ' '),
  });
  fc.assert(
    fc.property(soup, (text) => {
      fc.pre(text !== '');
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(storeText(schema, text) !== 'JSON').toBe(isJson);
    }),
    { numRuns: 5000 },
  );
});

it('vectors read back, packed and as JSON', () => {
  const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 });
  const packed = schemaOf('vector<float32>[3]');
  const json = schemaOf('{ type: "vector<float32>[3]", encoding: json }');
  const column: LogicalType = { kind: 'list', item: { kind: 'float', bits: 32 }, size: null };
  fc.assert(
    fc.property(values, (items) => {
      const bytes = storeTyped(packed, column, items) ?? '';
      const view = new DataView(Uint8Array.from(Buffer.from(bytes, 'latin1')).buffer);
      expect(items.every((item, i) => Object.is(view.getFloat32(i * 4, true), item))).toBe(true);
      const text = storeTyped(json, column, items) ?? '';
      expect((JSON.parse(text) as number[]).every((item, i) => Object.is(Math.fround(item), items[i]))).toBe(
        true,
      );
      expect(storeText(packed, text)).toBe(bytes);
    }),
    RUNS,
  );
});

it('strings and bytes are the bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (text, raw) => {
      expect(storeText(schemaOf('string'), { quoted: text })).toBe(utf8(text));
      const hex = Buffer.from(raw).toString('hex');
      const bytes = Buffer.from(raw).toString('latin1');
      expect(storeText(schemaOf('{ type: bytes, decode: hex }'), { quoted: hex })).toBe(bytes);
      expect(storeTyped(schemaOf('bytes'), { kind: 'binary', size: null }, bytes)).toBe(bytes);
    }),
    { numRuns: 300 },
  );
});

it('no cell, whatever it holds, is anything but stored, null or a fault that names its column', () => {
  const types = ['int64', 'float32', 'bool', 'timestamp', 'date', 'decimal', 'json', 'vector<float32>[2]'];
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.string({ unit: 'binary' }), (type, cell) => {
      const { rows, faults, empty } = encode(schemaOf(type), [
        { name: 'id', cells: ['1'] },
        { name: 'x', cells: [cell] },
      ]);
      expect(rows.length + faults.length + empty).toBe(1);
      for (const fault of faults) expect(fault).toMatchObject({ column: 'x', stage: 'map' });
    }),
    RUNS,
  );
});
