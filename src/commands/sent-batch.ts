/** Batches on their way from an encoding thread: what the main thread has to know of them, in flat memory. */
import type { RecordedBatch, Recording } from '../core/recording.ts';
import type { ColumnBatch, RawCell } from '../core/types.ts';
import { splitRecord } from '../sources/index.ts';

export interface SentBatch {
  readonly recording: Recording;
  readonly rowCount: number;
  readonly firstRow: number;
  /** What `lines` and `starts` count from. */
  readonly line: number;
  readonly byte: number;
  /** By row, and of the place after the batch. */
  readonly lines: Int32Array;
  readonly starts: Int32Array;
  /** The records stand in the recording's bytes; null: they do not. */
  readonly delimiter: number | null;
  /** By row; null: they are not wanted, or stand in the text. */
  readonly records: readonly (readonly RawCell[])[] | null;
}

/** `withRecords`: failed rows will be asked for, which may be any of them. */
export function packBatch(batch: ColumnBatch, recording: Recording, withRecords: boolean): SentBatch {
  const { rowCount, firstRow, text } = batch;
  const lines = new Int32Array(rowCount + 1);
  const starts = new Int32Array(rowCount + 1);
  const { line } = batch.position(0);
  const end = batch.position(rowCount);
  const byte = text ? end.byte - text.bytes.length : batch.position(0).byte;
  for (let row = 0; row <= rowCount; row += 1) {
    const at = row === rowCount ? end : batch.position(row);
    lines[row] = at.line - line;
    starts[row] = at.byte - byte;
  }
  const records =
    text || !withRecords ? null : Array.from({ length: rowCount }, (_, row) => batch.record(row));
  return {
    recording,
    rowCount,
    firstRow,
    line,
    byte,
    lines,
    starts,
    delimiter: text?.delimiter ?? null,
    records,
  };
}

/** What goes to the other thread without a copy. */
export function transferOf({ recording, lines, starts }: SentBatch): ArrayBuffer[] {
  const { slots, bytes, marks, ttls } = recording;
  return [slots, bytes, marks, ttls, lines, starts].map(({ buffer }) => buffer as ArrayBuffer);
}

/** What a cell that is no flat memory takes besides its text, about. */
const CELL_BYTES = 64;

export function bytesOf(batch: SentBatch): number {
  const flat = transferOf(batch).reduce((sum, { byteLength }) => sum + byteLength, 0);
  const cells = (batch.records ?? []).flat();
  return cells.reduce((sum, { text }) => sum + CELL_BYTES + (text?.length ?? 0), flat);
}

export function unpackBatch(sent: SentBatch): RecordedBatch {
  const { recording, rowCount, firstRow, line, byte, lines, starts } = sent;
  return {
    recording,
    rowCount,
    firstRow,
    columns: [],
    faults: null,
    line: (row) => line + lines[row]!,
    record: (row) => recordOf(sent, row),
    position: (row) => ({ row: firstRow - 1 + row, line: line + lines[row]!, byte: byte + starts[row]! }),
  };
}

function recordOf({ recording, starts, delimiter, records }: SentBatch, row: number): readonly RawCell[] {
  if (delimiter === null) return records?.[row] ?? [];
  const { buffer, byteOffset } = recording.bytes;
  const length = starts[row + 1]! - starts[row]!;
  return splitRecord(Buffer.from(buffer, byteOffset + starts[row]!, length).latin1Slice(), 0, delimiter);
}
