/** What stands before each page. https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
import { type Cursor, readInteger, readStruct, TYPE } from './thrift.ts';

export const ENCODING = { plain: 0, plainDictionary: 2, rle: 3, bitPacked: 4, rleDictionary: 8 } as const;

export const PAGE = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

export interface PageHeader {
  /** One of PAGE. */
  readonly type: number;
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  /** CRC-32 of the page as it stands, as a signed number. */
  readonly crc: number | null;
  readonly values: number;
  readonly encoding: number;
  /** Of the levels; version 2 knows RLE only. */
  readonly definitionEncoding: number;
  readonly repetitionEncoding: number;
  /** Of version 2, whose levels stand before what is compressed; 0 in version 1. */
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly isCompressed: boolean;
}

const FIELD = { type: 1, uncompressed: 2, compressed: 3, crc: 4, data: 5, dictionary: 7, dataV2: 8 } as const;

/** Throws an Error where the bytes are no header, or end before it. */
export function readPageHeader(cursor: Cursor): PageHeader {
  const numbers = new Map<number, number>();
  const found = new Map<number, Details>();
  readStruct(cursor, (field) => {
    if (field.type === TYPE.i32) numbers.set(field.id, readInteger(cursor));
    else if (field.type === TYPE.struct && field.id in DETAILS)
      found.set(field.id, DETAILS[field.id]!(cursor));
    else return false;
    return true;
  });
  const type = numbers.get(FIELD.type);
  const details = found.get(DETAILS_OF[type ?? -1] ?? -1) ?? null;
  const header = {
    type: type ?? -1,
    uncompressedSize: numbers.get(FIELD.uncompressed) ?? -1,
    compressedSize: numbers.get(FIELD.compressed) ?? -1,
    crc: numbers.get(FIELD.crc) ?? null,
    ...(details ?? NO_DETAILS),
  };
  if (header.type < 0 || header.uncompressedSize < 0 || header.compressedSize < 0 || header.values < 0)
    throw new Error('a page with a header that is not whole');
  if (type !== PAGE.index && details === null) throw new Error('a page with a header that is not whole');
  return header;
}

/** Which field a page of each type has. */
const DETAILS_OF: Readonly<Record<number, number>> = {
  [PAGE.data]: FIELD.data,
  [PAGE.dictionary]: FIELD.dictionary,
  [PAGE.dataV2]: FIELD.dataV2,
};

type Details = Omit<PageHeader, 'type' | 'uncompressedSize' | 'compressedSize' | 'crc'>;

const NO_DETAILS: Details = {
  values: 0,
  encoding: ENCODING.plain,
  definitionEncoding: ENCODING.rle,
  repetitionEncoding: ENCODING.rle,
  definitionBytes: 0,
  repetitionBytes: 0,
  isCompressed: true,
};

const DETAILS: Readonly<Record<number, (cursor: Cursor) => Details>> = {
  [FIELD.data]: (cursor) => {
    const { at } = readNumbers(cursor);
    return {
      ...NO_DETAILS,
      values: at(1),
      encoding: at(2),
      definitionEncoding: at(3),
      repetitionEncoding: at(4),
    };
  },
  [FIELD.dictionary]: (cursor) => {
    const { at } = readNumbers(cursor);
    return { ...NO_DETAILS, values: at(1), encoding: at(2) };
  },
  [FIELD.dataV2]: (cursor) => {
    const { at, isFalse } = readNumbers(cursor);
    return {
      ...NO_DETAILS,
      values: at(1),
      encoding: at(4),
      definitionBytes: at(5),
      repetitionBytes: at(6),
      isCompressed: !isFalse(7),
    };
  },
};

interface Numbers {
  /** Throws where there is none. */
  at(id: number): number;
  isFalse(id: number): boolean;
}

function readNumbers(cursor: Cursor): Numbers {
  const numbers = new Map<number, number>();
  const falses = new Set<number>();
  readStruct(cursor, (field) => {
    if (field.type === TYPE.false) falses.add(field.id);
    if (field.type !== TYPE.i32) return false;
    numbers.set(field.id, readInteger(cursor));
    return true;
  });
  return {
    at: (id) => {
      const number = numbers.get(id);
      if (number === undefined || number < 0) throw new Error('a page with a header that is not whole');
      return number;
    },
    isFalse: (id) => falses.has(id),
  };
}
