/**
 * A column of lists of plain values. Each value has two levels: whether another row begins with it, and how much of
 * row, list and value there is. A row without values has one entry of levels all the same.
 * https://github.com/apache/parquet-format#nested-encoding
 */
import type { FileHandle } from 'node:fs/promises';
import type { ListSlots } from '../../core/slots.ts';
import type { Value } from '../../core/types.ts';
import { type DecodedColumn, nullFinder, orNull } from '../decoded-column.ts';
import { createColumnArrays, type DecodedValues } from './column-arrays.ts';
import { createColumnPages, type HeldPages, type OpenPage } from './column-pages.ts';
import type { ColumnReader } from './column-reader.ts';
import { type Codes, readCodes } from './hybrid.ts';
import type { LeafColumn, ListShape } from './leaf-columns.ts';

/** Most bytes of values that some rows may have. */
const MAX_BYTES = 256 * 1024 * 1024;

/** `list`: of the column. */
export function createListColumnReader(
  file: FileHandle,
  { name, type, leaf }: LeafColumn,
  list: ListShape,
  held: HeldPages,
): ColumnReader {
  const arrays = createColumnArrays(leaf);
  const levels = levelsOf(list, leaf.isOptional);
  const widths = { definition: levels.most === 1 ? 1 : 2, repetition: 1 } as const;
  const pages = createColumnPages(file, leaf.physical, widths, arrays, held);
  const entries = createEntries();
  const most = Math.floor(MAX_BYTES / Math.max(leaf.width, 4));
  let lists = createLists(0);
  /** Values that the arrays have room for. */
  let room = 0;

  /** False: there are none. */
  const moreEntries = async (): Promise<boolean> => {
    while (pages.page.left === 0) if (!(await pages.next())) return false;
    readEntries(entries, pages.page, levels.most);
    return true;
  };
  const makeRoom = (values: number): void => {
    if (values <= room) return;
    if (values > most) throw new Error('lists of more than 256 MiB in a few rows');
    room = Math.min(Math.max(values, room * 2), most);
    arrays.grow(room);
  };
  return {
    open: (chunk, readBytes) => {
      pages.open(chunk, readBytes);
      entries.count = 0;
      entries.at = 0;
      entries.isEmpty = true;
    },
    read: async (rows) => {
      // As many as the last rows had, and some more.
      room = lists.begun === 0 ? rows : Math.ceil((lists.values / lists.begun) * rows * 1.05) + 1;
      room = Math.min(room, most);
      arrays.begin(room);
      lists = createLists(rows);
      // With the last row's values ends what is known of it: they may go on in the next page.
      while (entries.at < entries.count || (await moreEntries())) {
        const before = lists.values;
        takeEntries(entries, lists, levels);
        const count = lists.values - before;
        makeRoom(lists.values);
        pages.takeValues(arrays.presentBy(entries.present, count, before), before);
        if (entries.at < entries.count) break;
      }
      if (lists.begun < rows) throw new Error('fewer rows than the footer says');
      lists.offsets[rows] = lists.values;
      checkSizes(lists, list.size);
      return { name, type, ...decodedLists(arrays.result(), lists) };
    },
    finish: async () => {
      if (entries.at < entries.count || (await moreEntries())) {
        throw new Error('more rows than the footer says');
      }
    },
    bytes: () => arrays.bytes() + lists.offsets.length * 4,
  };
}

/** What definition levels mean. */
interface DefinitionLevels {
  /** Of a list without values; below it there is no list. */
  readonly empty: number;
  /** Of a value; between the two is the place of a null in a list. */
  readonly most: number;
}

function levelsOf({ isOptional }: ListShape, hasNulls: boolean): DefinitionLevels {
  const empty = isOptional ? 1 : 0;
  return { empty, most: empty + (hasNulls ? 2 : 1) };
}

/** The levels of some entries of a page, which are read before it is known which of them belong to which batch. */
interface Entries {
  readonly repetitions: Int32Array;
  readonly definitions: Int32Array;
  /** Those that were read, and of them taken. */
  count: number;
  at: number;
  /** Of the values that were taken last: 1, and 0 for nulls. */
  readonly present: Int32Array;
  /** The last row that was taken is without values. */
  isEmpty: boolean;
}

const MOST_ENTRIES = 8192;

function createEntries(): Entries {
  const levels = (): Int32Array => new Int32Array(MOST_ENTRIES);
  return {
    repetitions: levels(),
    definitions: levels(),
    count: 0,
    at: 0,
    present: levels(),
    isEmpty: true,
  };
}

function readEntries(entries: Entries, page: OpenPage, most: number): void {
  const count = Math.min(page.left, MOST_ENTRIES);
  readCodes(page.repetitions!, entries.repetitions, count);
  readLevels(page.definitions!, entries.definitions, count, most);
  page.left -= count;
  entries.count = count;
  entries.at = 0;
}

function readLevels(codes: Codes, out: Int32Array, count: number, most: number): void {
  readCodes(codes, out, count);
  for (let i = 0; i < count; i++) if (out[i]! > most) throw new Error(`a level of ${out[i]}, of ${most}`);
}

/** The rows of a batch, as they are found. */
interface Lists {
  readonly rows: number;
  /** The values of a row are those from offsets[row] up to offsets[row + 1]. */
  readonly offsets: Int32Array;
  /** A bit a row, 0 where it has no list; null: all have one. */
  valid: Uint8Array | null;
  /** Rows and values that were found up to now. */
  begun: number;
  values: number;
}

function createLists(rows: number): Lists {
  return { rows, offsets: new Int32Array(rows + 1), valid: null, begun: 0, values: 0 };
}

/** Takes entries up to the first of a row that is one too many. */
function takeEntries(entries: Entries, lists: Lists, { empty, most }: DefinitionLevels): void {
  const { repetitions, definitions, count, present } = entries;
  let values = 0;
  let { at } = entries;
  for (; at < count; at++) {
    const definition = definitions[at]!;
    if (repetitions[at] === 0) {
      if (lists.begun === lists.rows) break;
      lists.offsets[lists.begun++] = lists.values + values;
      entries.isEmpty = definition <= empty;
      if (definition < empty) markNull(lists);
    } else if (entries.isEmpty || definition <= empty) {
      throw new Error('values of a row that has none');
    }
    if (definition > empty) present[values++] = definition === most ? 1 : 0;
  }
  lists.values += values;
  entries.at = at;
}

/** Of the row that was begun last. */
function markNull(lists: Lists): void {
  lists.valid ??= new Uint8Array(Math.ceil(lists.rows / 8)).fill(0xff);
  const row = lists.begun - 1;
  lists.valid[row >> 3]! &= ~(1 << (row & 7));
}

function checkSizes({ rows, offsets, valid }: Lists, size: number | null): void {
  if (size === null) return;
  const isNull = valid && nullFinder(valid, 0);
  for (let row = 0; row < rows; row++) {
    const found = offsets[row + 1]! - offsets[row]!;
    if (found !== size && !isNull?.(row)) throw new Error(`a list of ${found} values in a column of ${size}`);
  }
}

function decodedLists(items: DecodedValues, { offsets, valid }: Lists): Omit<DecodedValues, 'type'> {
  const isNull = valid && nullFinder(valid, 0);
  const read = (row: number): Value => {
    const from = offsets[row]!;
    return Array.from({ length: offsets[row + 1]! - from }, (_, i) => items.read(from + i));
  };
  const lists = listSlots(items, offsets);
  return {
    read: orNull(read, isNull),
    slots: lists && { first: 0, codes: null, valid, validFirst: 0, values: lists },
    places: null,
    isNull,
    isText: textOf(items, offsets),
  };
}

/** Null for lists of other values than floats, or with nulls among them. */
function listSlots({ slots, isNull }: DecodedValues, offsets: Int32Array): ListSlots | null {
  if (slots === null || slots.codes !== null || slots.values.kind !== 'numbers' || isNull !== null)
    return null;
  const { numbers } = slots.values;
  const areFloats = numbers instanceof Float32Array || numbers instanceof Float64Array;
  return areFloats ? { kind: 'lists', numbers, offsets, step: 1 } : null;
}

/** Whether all text in the list of a row is. */
function textOf({ isText, isNull }: DecodedValues, offsets: Int32Array): DecodedColumn['isText'] {
  if (isText === null) return null;
  return (row) => {
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) if (!isNull?.(i) && !isText(i)) return false;
    return true;
  };
}
