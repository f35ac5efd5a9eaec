/** For every type: what is stored reads back to the same value, and what is out of range is a fault. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogicalType } from '../../src/core/types.ts';
import { schemaOf, storeText, storeTyped } from './support.ts';

const RUNS = { numRuns: 1000 };
const WIDTHS = [8, 16, 32, 64] as const;

const limits = (bits: number, signed: boolean): { min: bigint; max: bigint } => {
  const size = BigInt(bits);
  return signed
    ? { min: -(2n ** (size - 1n)), max: 2n ** (size - 1n) - 1n }
    : { min: 0n, max: 2n ** size - 1n };
};

describe.each(WIDTHS.flatMap((bits) => [true, false].map((signed) => ({ bits, signed }))))(
  'int %o',
  (form) => {
    const schema = schemaOf(`${form.signed ? 'int' : 'uint'}${form.bits}`);
    const { min, max } = limits(form.bits, form.signed);
    const column: LogicalType = { kind: 'int', bits: 64, signed: true };
    const any = fc.oneof(
      fc.bigInt({ min: min - 3n, max: min + 3n }),
      fc.bigInt({ min: max - 3n, max: max + 3n }),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.bigInt({ min: -300n, max: 300n }),
    );

    it('text, with signs and zeros', () => {
      fc.assert(
        fc.property(any, fc.nat(4), fc.boolean(), (value, zeros, plus) => {
          const digits = `${'0'.repeat(zeros)}${value < 0n ? -value : value}`;
          const cell = `${value < 0n ? '-' : plus ? '+' : ''}${digits}`;
          expect(storeText(schema, cell)).toBe(value < min || value > max ? 'INT_RANGE' : String(value));
        }),
        RUNS,
      );
    });

    it('typed', () => {
      fc.assert(
        fc.property(any, (value) => {
          expect(storeTyped(schema, column, value)).toBe(
            value < min || value > max ? 'INT_RANGE' : String(value),
          );
        }),
        RUNS,
      );
    });
  },
);

describe('floats', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  /** Every pattern of 32 bits. */
  const finite32 = fc
    .integer({ min: 0, max: 0xffffffff })
    .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0]!)
    .filter(Number.isFinite);

  it('float64 from text and typed', () => {
    const schema = schemaOf('float64');
    fc.assert(
      fc.property(finite, (value) => {
        const typed = storeTyped(schema, { kind: 'float', bits: 64 }, value);
        expect(Object.is(Number(typed), value)).toBe(true);
        expect(storeText(schema, typed)).toBe(typed);
        expect(storeText(schema, value === 0 ? typed : value.toExponential(17))).toBe(typed);
      }),
      RUNS,
    );
  });

  it('float32: the shortest text that reads back', () => {
    const schema = schemaOf('float32');
    fc.assert(
      fc.property(finite32, (value) => {
        const typed = storeTyped(schema, { kind: 'float', bits: 32 }, value) ?? '';
        expect(Object.is(Math.fround(Number(typed)), value)).toBe(true);
        expect(storeText(schema, typed)).toBe(typed);
        const digits = typed
          .replace(/e.*$/, '')
          .replace(/^-/, '')
          .replace('.', '')
          .replace(/^0+|0+$/g, '').length;
        for (let fewer = 1; fewer < digits; fewer += 1) {
          expect(Math.fround(Number(value.toPrecision(fewer)))).not.toBe(value);
        }
      }),
      RUNS,
    );
  });

  it('plain decimals of few digits are stored as their float is written', () => {
    const digits = fc.string({ unit: fc.constantFrom('0', '1', '9', '5', '.'), minLength: 1, maxLength: 18 });
    fc.assert(
      fc.property(digits, fc.constantFrom(32, 64), fc.boolean(), (text, bits, minus) => {
        const cell = `${minus ? '-' : ''}${text}`;
        fc.pre(/^-?(\d+\.?\d*|\.\d+)$/.test(cell));
        const schema = schemaOf(`float${bits}`);
        const type: LogicalType = { kind: 'float', bits: bits === 32 ? 32 : 64 };
        expect(storeText(schema, cell)).toBe(storeTyped(schema, type, Number(cell)));
      }),
      { numRuns: 5000 },
    );
  });

  it('text in any decimal form is what Number reads, and nothing else passes', () => {
    const schema = schemaOf('float64');
    const part = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', 'E', 'x', ' ', '_') });
    fc.assert(
      fc.property(part, (cell) => {
        fc.pre(cell !== '');
        const isNumber = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(cell);
        const stored = storeText(schema, cell);
        if (!isNumber) expect(stored).toBe('FLOAT');
        else if (Number.isFinite(Number(cell))) expect(Object.is(Number(stored), Number(cell))).toBe(true);
        else expect(stored).toBe('FLOAT_RANGE');
      }),
      { numRuns: 5000 },
    );
  });
});

describe('times', () => {
  const moment = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });

  it('every date of the calendar, and no other', () => {
    const schema = schemaOf('date');
    const two = (n: number): string => String(n).padStart(2, '0');
    fc.assert(
      fc.property(
        fc.nat(9999),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (y, m, d) => {
          const text = `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}`;
          const date = new Date(`${text}T00:00:00Z`);
          const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
          expect(storeText(schema, text)).toBe(exists ? text : 'DATE');
        },
      ),
      RUNS,
    );
  });

  it('typed dates', () => {
    fc.assert(
      fc.property(moment, (date) => {
        const days = Math.floor(date.getTime() / 86_400_000);
        expect(storeTyped(schemaOf('date'), { kind: 'date' }, days)).toBe(date.toISOString().slice(0, 10));
      }),
      { numRuns: 300 },
    );
  });

  it('text at any offset is the same moment', () => {
    const schema = schemaOf('timestamp');
    const minutes = fc.integer({ min: -1439, max: 1439 });
    fc.assert(
      fc.property(moment, minutes, (date, offset) => {
        const local = new Date(date.getTime() + offset * 60_000);
        fc.pre(local.getUTCFullYear() >= 0 && local.getUTCFullYear() <= 9999);
        const size = Math.abs(offset);
        const hours = String(Math.floor(size / 60)).padStart(2, '0');
        const zone = `${offset < 0 ? '-' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`;
        const expected = date.toISOString().replace('.000Z', 'Z');
        expect(storeText(schema, local.toISOString().replace('Z', zone))).toBe(expected);
      }),
      RUNS,
    );
  });

  it('typed and epochs, to the nanosecond', () => {
    const schema = schemaOf('timestamp');
    const epoch = schemaOf('{ type: timestamp, store: epoch_ns }');
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (ns) => {
        const text = storeTyped(schema, { kind: 'timestamp', unit: 'ns', zoned: true }, ns) ?? '';
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/);
        expect(storeText(epoch, text)).toBe(String(ns));
        expect(storeText(schemaOf('{ type: timestamp, unit: ns }'), String(ns))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('the wall time of a zone is the moment that the zone shows it at', () => {
    const zones = [
      'America/New_York',
      'Europe/Berlin',
      'Asia/Kolkata',
      'Pacific/Apia',
      'Australia/Lord_Howe',
    ];
    const recent = fc.date({ min: new Date('1950-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(recent, fc.constantFrom(...zones), (date, zone) => {
        const wall = new Intl.DateTimeFormat('sv-SE', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'medium',
        }).format(date);
        const stored = storeText(schemaOf(`{ type: timestamp, timezone: ${zone} }`), wall) ?? '';
        const moved = Math.floor(date.getTime() / 1000) * 1000 - Date.parse(stored);
        // A wall time that happens twice is the earlier of both.
        expect([0, 1_800_000, 3_600_000]).toContain(moved);
      }),
      { numRuns: 500 },
    );
  });
});

it('decimals of any scale keep their digits, as text and typed', () => {
  const schema = schemaOf('decimal');
  const unscaled = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n });
  fc.assert(
    fc.property(unscaled, fc.nat(38), (value, scale) => {
      const text = storeTyped(schema, { kind: 'decimal', precision: 38, scale }, value) ?? '';
      const [whole = '', fraction = ''] = text.split('.');
      expect(fraction).toHaveLength(scale);
      expect(BigInt(whole + fraction)).toBe(value);
      expect(storeText(schema, text)).toBe(text);
    }),
    RUNS,
  );
});
