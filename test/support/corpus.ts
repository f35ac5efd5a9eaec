/**
 * The corpus of real files beside the project (../shared/corpus, see its README), which is not part of it:
 * tests that walk it are skipped where it is absent.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteString, ColumnBatch, LogicalType, TimeUnit, Value } from '../../src/core/types.ts';

export const CORPUS = join(import.meta.dirname, '../../../shared/corpus');
export const hasCorpus = existsSync(CORPUS);

export interface Expected {
  readonly columns: readonly ExpectedColumn[];
  readonly rows: readonly (readonly unknown[])[];
}

/** `kind`: see the corpus README; csv files give names only and have kind `text`. */
export interface ExpectedColumn {
  readonly name: string;
  readonly kind: string;
}

export interface CorpusFile {
  readonly name: string;
  readonly path: string;
  /** Null where the corpus gives no rows. */
  readonly expected: () => Expected | null;
}

/** Files of one corpus folder, such as `csv/ok`, sorted; none where the corpus is absent. */
export function corpusFiles(folder: string): readonly CorpusFile[] {
  const directory = join(CORPUS, folder);
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => !name.endsWith('.expected.json'));
  return names.sort().map((name) => {
    const path = join(directory, name);
    return { name, path, expected: () => readExpected(path.replace(/\.[^.]+$/, '.expected.json')) };
  });
}

function readExpected(path: string): Expected | null {
  if (!existsSync(path)) return null;
  const json = JSON.parse(readFileSync(path, 'utf8')) as {
    columns: readonly (string | ExpectedColumn)[];
    rows: Expected['rows'];
  };
  const columns = json.columns.map((column) =>
    typeof column === 'string' ? { name: column, kind: 'text' } : column,
  );
  return { columns, rows: json.rows };
}

/** The rows of batches in the form of expected.json, for comparing with `toEqual`. */
export function comparableRows(batches: readonly ColumnBatch[], kinds: readonly string[]): unknown[][] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rowCount }, (_, row) =>
      batch.columns.map((column, index) =>
        column.kind === 'text'
          ? utf8(column.cell(row))
          : comparable(column.type, column.at(row), kinds[index] ?? 'nested'),
      ),
    ),
  );
}

/** One typed value as expected.json writes a column of that kind. */
export function comparable(type: LogicalType, value: Value, kind: string): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'float':
      return specialNumber(value as number);
    case 'int':
      return kind === 'int64' || type.bits === 64 ? String(value) : value;
    case 'duration':
      return String(value);
    case 'decimal': {
      const text = decimal(value as bigint, type.scale);
      // DuckDB reads decimals of more than 38 digits as doubles.
      return kind === 'double' ? Number(text) : text;
    }
    case 'utf8':
      return kind === 'binary_hex' ? hex(value as ByteString) : utf8(value as ByteString);
    case 'binary':
      return kind === 'string' ? utf8(value as ByteString) : hex(value as ByteString);
    case 'date':
      return new Date((value as number) * 86_400_000).toISOString().slice(0, 10);
    case 'time':
    case 'timestamp':
      return String((value as bigint) * NANOSECONDS[type.unit]);
    default:
      return comparableNested(type, value);
  }
}

function comparableNested(type: LogicalType, value: Value): unknown {
  const values = value as readonly Value[];
  if (type.kind === 'list') return values.map((item) => comparable(type.item, item, 'nested'));
  if (type.kind === 'struct') {
    return Object.fromEntries(
      type.fields.map((field, index) => [field.name, comparable(field.type, values[index]!, 'nested')]),
    );
  }
  if (type.kind !== 'map') return value;
  return values.map((pair) => {
    const [key, item] = pair as readonly Value[];
    return [comparable(type.key, key!, 'nested'), comparable(type.value, item!, 'nested')];
  });
}

const NANOSECONDS: Readonly<Record<TimeUnit, bigint>> = {
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  ns: 1n,
};

function specialNumber(value: number): number | string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}

function decimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function hex(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('hex');
}

function utf8(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
