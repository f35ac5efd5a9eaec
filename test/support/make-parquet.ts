/** Parquet files for tests, by parquet-wasm from Arrow columns whose raw values are given. */
import { createRequire } from 'node:module';
import * as arrow from 'apache-arrow';

type ParquetWasm = typeof import('parquet-wasm');
const parquet = createRequire(import.meta.url)('parquet-wasm') as ParquetWasm;

export function toParquet(columns: Record<string, arrow.Vector>, rowGroup = 1000): Buffer {
  const wasm = parquet.Table.fromIPCStream(arrow.tableToIPC(new arrow.Table(columns), 'stream'));
  const properties = new parquet.WriterPropertiesBuilder().setMaxRowGroupSize(rowGroup).build();
  return Buffer.from(parquet.writeParquet(wasm, properties));
}

export function column(type: arrow.DataType, values: readonly unknown[]): arrow.Vector {
  return arrow.vectorFromArray(values as never[], type);
}

export const utf8 = (values: readonly (string | null)[]): arrow.Vector => column(new arrow.Utf8(), values);

/** A column whose 8-byte values are given as they are stored; apache-arrow's builders round to milliseconds. */
export function raw64(type: arrow.DataType, values: readonly bigint[]): arrow.Vector {
  const data = BigInt64Array.from(values);
  return arrow.makeVector(
    arrow.makeData({ type: type as arrow.TimestampNanosecond, length: values.length, data }),
  );
}

/** Unscaled values in the little-endian words of an Arrow decimal. */
export function decimals(precision: number, scale: number, values: readonly bigint[]): arrow.Vector {
  const words = values.flatMap((value) =>
    Array.from({ length: 4 }, (_, word) => Number((value >> BigInt(32 * word)) & 0xffffffffn)),
  );
  const type = new arrow.Decimal(scale, precision, 128);
  return arrow.makeVector(arrow.makeData({ type, length: values.length, data: Uint32Array.from(words) }));
}
