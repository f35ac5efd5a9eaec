/** Why a scan stopped before its row or byte limit. */
export type ScanStop = 'limit' | 'incomplete' | 'quote' | 'size';

/** Where the cells of a run of records stand. Made once and filled again by every scan. */
export interface CellMap {
  /** Columns of the header. */
  readonly width: number;
  /** Records that fit. */
  readonly capacity: number;
  /**
   * `width + 1` numbers a record, offsets from where the scan began: the byte before its first cell, then
   * the byte after each cell. A cell is [number + 1, next number), its quotes included. All 0 for a record
   * with more or fewer cells.
   */
  readonly ends: Int32Array;
  /** Physical line of each record, from 1. */
  readonly lines: Float64Array;
  /** Offset of each record's first byte. */
  readonly starts: Int32Array;
  /** Records with more or fewer cells than the header, each followed by the number of its cells. */
  ragged: number[];
  rows: number;
  /** Line ends inside the quotes of the record that is being read. */
  innerLines: number;
  /** Offset after the last record and the empty lines behind it, in the block. */
  at: number;
  /** Line of `at`. */
  line: number;
}

/** What is scanned: `final` says that nothing follows the block. */
export interface ScanInput {
  readonly block: Buffer;
  readonly from: number;
  readonly line: number;
  readonly final: boolean;
}

export interface ScanLimits {
  readonly delimiter: number;
  readonly maxRecordSize: number;
  /** At most the map's capacity. */
  readonly rows: number;
  /** No record is begun this many bytes after `from`. */
  readonly bytes: number;
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** Numbers that a cell map may hold: one megabyte, or one record of more columns. */
const MAP_NUMBERS = 1 << 18;

export function createCellMap(width: number, rows: number): CellMap {
  const capacity = Math.max(1, Math.min(rows, Math.floor(MAP_NUMBERS / (width + 1))));
  return {
    width,
    capacity,
    ends: new Int32Array(capacity * (width + 1)),
    lines: new Float64Array(capacity),
    starts: new Int32Array(capacity),
    ragged: [],
    rows: 0,
    innerLines: 0,
    at: 0,
    line: 1,
  };
}

/**
 * Finds the cells of the records that `input` holds, by the rules of RFC 4180 with CR LF, LF or CR as line
 * end; empty lines are no records. It takes no text out. After a stop other than `limit`, `map.at` and
 * `map.line` are those of the record that is not complete, wrongly quoted or too long; a wrong quote
 * beyond `maxRecordSize` bytes of its record is `size`.
 */
export function scanRecords(input: ScanInput, limits: ScanLimits, map: CellMap): ScanStop {
  const { block, from, final } = input;
  const { delimiter, maxRecordSize } = limits;
  const { ends, width } = map;
  const length = block.length;
  const until = Math.min(length, from + limits.bytes);
  // Most bytes of a cell are above all four special ones: one comparison passes over them.
  const special = Math.max(delimiter, QUOTE);
  let at = from;
  map.rows = 0;
  map.ragged = [];
  map.line = input.line;

  // One loop, not a function for each cell: it runs for every byte of the file.
  for (;;) {
    at = skipEmptyLines(block, at, final, map);
    map.at = at;
    if (at >= length) return 'incomplete';
    if (map.rows === limits.rows || at >= until) return 'limit';
    const start = at;
    const base = map.rows * (width + 1);
    let cell = start;
    let cells = 0;
    ends[base] = start - 1 - from;
    map.innerLines = 0;
    for (;;) {
      if (at >= length) {
        if (!final) return 'incomplete';
        break;
      }
      const byte = block[at]!;
      if (byte > special) {
        at++;
      } else if (byte === delimiter) {
        cells++;
        if (cells <= width) ends[base + cells] = at - from;
        cell = ++at;
      } else if (byte === LF) {
        break;
      } else if (byte === CR) {
        if (at + 1 === length && !final) return 'incomplete';
        break;
      } else if (byte === QUOTE) {
        if (at !== cell) return at - start < maxRecordSize ? 'quote' : 'size';
        at = skipQuoted(block, at, map);
        if (at === -1 && !final) return 'incomplete';
        if (at === -1) return length - start <= maxRecordSize ? 'quote' : 'size';
        if (!endsCell(block[at], delimiter)) return at - start < maxRecordSize ? 'quote' : 'size';
      } else {
        at++;
      }
    }
    const end = at;
    if (at < length) at += block[at] === CR && block[at + 1] === LF ? 2 : 1;
    if (at - start > maxRecordSize) return 'size';
    cells++;
    if (cells <= width) ends[base + cells] = end - from;
    takeRecord(map, start - from, cells);
  }
}

function takeRecord(map: CellMap, start: number, cells: number): void {
  const row = map.rows++;
  if (cells !== map.width) {
    const base = row * (map.width + 1);
    map.ends.fill(0, base, base + map.width + 1);
    map.ragged.push(row, cells);
  }
  map.starts[row] = start;
  map.lines[row] = map.line;
  map.line += 1 + map.innerLines;
}

/** Empty lines belong to no record: not to its bytes either. A last CR waits for the LF that may follow. */
function skipEmptyLines(block: Buffer, from: number, final: boolean, map: CellMap): number {
  let at = from;
  for (; at < block.length; map.line++) {
    const byte = block[at];
    if (byte !== LF && byte !== CR) break;
    if (byte === CR && at + 1 === block.length && !final) break;
    at += byte === CR && block[at + 1] === LF ? 2 : 1;
  }
  return at;
}

/**
 * The offset after the closing quote of the cell that opens at `open`; -1: it is not in the block. A quote
 * that ends the block counts as closing: unless the text ends there, the record is read again with more.
 */
function skipQuoted(block: Buffer, open: number, map: CellMap): number {
  for (let at = open + 1; at < block.length; at++) {
    const byte = block[at]!;
    if (byte > QUOTE) continue;
    if (byte === QUOTE) {
      if (block[at + 1] !== QUOTE) return at + 1;
      at++;
    } else if (byte === LF || (byte === CR && block[at + 1] !== LF)) {
      map.innerLines++;
    }
  }
  return -1;
}

function endsCell(byte: number | undefined, delimiter: number): boolean {
  return byte === undefined || byte === delimiter || byte === LF || byte === CR;
}
