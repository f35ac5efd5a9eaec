/** Where a column of a row group lies in the file, and how it is written. */
import { canDecompress } from './decompress.ts';
import { ENCODING } from './page-header.ts';
import { type Cursor, readBinary, readFields, readInteger, readList, readStruct, TYPE } from './thrift.ts';

export interface ColumnChunk {
  /** Of its column of the top level. */
  readonly name: string;
  /** Bytes of the file before it. */
  readonly start: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly values: number;
  /** CompressionCodec of the format. */
  readonly codec: number;
  /** Encodings of the format that occur in it. */
  readonly encodings: readonly number[];
  /** Of the values: one of PHYSICAL. */
  readonly physical: number;
  /** In a file of its own. */
  readonly isElsewhere: boolean;
}

/** Those of one row group, from the list at `at` of the footer. */
export function readChunks(footer: Buffer, at: number): readonly ColumnChunk[] {
  const chunks: ColumnChunk[] = [];
  readList({ bytes: footer, at }, (cursor) => chunks.push(readChunk(cursor)));
  return chunks;
}

const CHUNK = { path: 1, meta: 3 } as const;
const META = {
  type: 1,
  encodings: 2,
  path: 3,
  codec: 4,
  values: 5,
  uncompressed: 6,
  compressed: 7,
  dataPage: 9,
  dictionaryPage: 11,
} as const;

function readChunk(cursor: Cursor): ColumnChunk {
  const fields = readFields(cursor);
  const meta = fields.find((field) => field.id === CHUNK.meta && field.type === TYPE.struct);
  const numbers = new Map<number, number>();
  const encodings: number[] = [];
  const path: string[] = [];
  if (meta !== undefined) {
    readStruct({ bytes: meta.value, at: 0 }, (field, inner) => {
      if (field.id === META.encodings && field.type === TYPE.list) {
        readList(inner, () => encodings.push(readInteger(inner)));
        return true;
      }
      if (field.id === META.path && field.type === TYPE.list) {
        readList(inner, () => path.push(readBinary(inner).toString('utf8')));
        return true;
      }
      if (field.type !== TYPE.i32 && field.type !== TYPE.i64) return false;
      numbers.set(field.id, readInteger(inner));
      return true;
    });
  }
  const number = (id: number): number => numbers.get(id) ?? -1;
  return {
    name: path[0] ?? '',
    start: startOf(number(META.dataPage), number(META.dictionaryPage)),
    compressedBytes: number(META.compressed),
    uncompressedBytes: number(META.uncompressed),
    values: number(META.values),
    codec: number(META.codec),
    encodings,
    physical: number(META.type),
    isElsewhere: fields.some(
      (field) => field.id === CHUNK.path && readBinary({ bytes: field.value, at: 0 }).length > 0,
    ),
  };
}

/** Some writers say 0 where there is no dictionary. */
function startOf(dataPage: number, dictionaryPage: number): number {
  return dictionaryPage > 0 && dictionaryPage < dataPage ? dictionaryPage : dataPage;
}

const READ_HERE: readonly number[] = Object.values(ENCODING);

/** Whether it is read here; else parquet-wasm reads it, or says what is wrong. `endBytes`: of the file before its footer. */
export function isDecodable(chunk: ColumnChunk, physical: number, endBytes: number): boolean {
  return (
    !chunk.isElsewhere &&
    chunk.physical === physical &&
    (chunk.values === 0 || chunk.start >= 4) &&
    chunk.compressedBytes >= 0 &&
    chunk.start + chunk.compressedBytes <= endBytes &&
    canDecompress(chunk.codec) &&
    chunk.encodings.every((encoding) => READ_HERE.includes(encoding))
  );
}
