/**
 * Rows as an encoder gave them, kept in flat memory that can go from one thread to another, and given again there:
 * the thread that keeps order, accounts and chunks copies rows that others have read, scanned and encoded.
 */
import type {
  ByteString,
  ColumnBatch,
  EncodeStep,
  RowEncoder,
  RowFault,
  RowOrigin,
  RowSink,
} from './types.ts';

/** The rows of one batch. All of it may be posted to another thread, its arrays transferred. */
export interface Recording {
  /** By row of the batch: which of the rows given it is; EMPTY or FAULT. */
  readonly slots: Int32Array;
  /** What the marks mark. Where the batch has a text, it stands here from 0 on. */
  readonly bytes: Uint8Array;
  /** By row given, start and end of: key, event time (NONE: ''), each feature (NONE: not told; REMOVED: null). */
  readonly marks: Int32Array;
  /** By row given, in milliseconds. */
  readonly ttls: Float64Array;
  readonly faults: ReadonlyMap<number, RecordedFault>;
  /** Warnings that the encoder found in these rows. */
  readonly warnings: readonly string[];
}

export interface RecordedFault {
  readonly fault: RowFault;
  readonly stage: EncodeStep['stage'];
}

/** A batch whose rows have been encoded already. */
export interface RecordedBatch extends ColumnBatch {
  readonly recording: Recording;
}

const EMPTY = -1;
const FAULT = -2;
const NONE = -1;
const REMOVED = -2;
/** Marks of key and event time. */
const HEAD = 4;
/** Bytes a row that a recording has room for at first, besides the text. */
const ROW_BYTES = 32;

/** Records batches of one encoder, each from its first row to its last. `features`: how many the encoder has. */
export function createRecorder(features: number): (encoder: RowEncoder, origin: RowOrigin) => Recording {
  const tape = createTape(features);
  return (encoder, origin) => {
    const { rowCount } = origin.batch;
    const told = encoder.warnings.length;
    const faults = new Map<number, RecordedFault>();
    tape.start(origin.batch);
    for (let row = 0; row < rowCount; ) {
      const { next, fault, stage } = encoder.encode(origin, row, tape.sink);
      if (fault) faults.set(next - 1, { fault, stage });
      row = next;
    }
    const recorded = tape.end();
    for (const row of faults.keys()) recorded.slots[row] = FAULT;
    return { ...recorded, faults, warnings: encoder.warnings.slice(told) };
  };
}

interface Tape {
  readonly sink: RowSink;
  start(batch: ColumnBatch): void;
  end(): Pick<Recording, 'slots' | 'bytes' | 'marks' | 'ttls'>;
}

/** Long, since all of it is the state of one batch. */
function createTape(features: number): Tape {
  const stride = HEAD + 2 * features;
  let text: Uint8Array | null = null;
  let slots = new Int32Array(0);
  let marks = new Int32Array(0);
  let ttls = new Float64Array(0);
  let bytes = Buffer.alloc(0);
  let length = 0;
  let given = 0;

  const makeRoom = (more: number): void => {
    if (length + more <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (length + more));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  };
  const copy = (mark: number, from: Uint8Array, start: number, end: number): void => {
    makeRoom(end - start);
    marks[mark] = length;
    for (let at = start; at < end; at += 1) bytes[length++] = from[at]!;
    marks[mark + 1] = length;
  };
  const write = (mark: number, value: ByteString): void => {
    makeRoom(value.length);
    marks[mark] = length;
    length += bytes.latin1Write(value, length);
    marks[mark + 1] = length;
  };
  const sink: RowSink = {
    begin: (key, keyLength, ttlMs, eventTime) => {
      const mark = given * stride;
      ttls[given] = ttlMs;
      copy(mark, key, 0, keyLength);
      if (eventTime !== '') write(mark + 2, eventTime);
    },
    value: (feature, value) => {
      const mark = given * stride + HEAD + 2 * feature;
      if (value === null) marks[mark] = REMOVED;
      else write(mark, value);
    },
    cell: (feature, from, start, end) => {
      const mark = given * stride + HEAD + 2 * feature;
      if (from !== text) return copy(mark, from, start, end);
      marks[mark] = start;
      marks[mark + 1] = end;
    },
    commit: (_origin, row) => {
      slots[row] = given;
      given += 1;
      return false;
    },
    abort: () => {
      marks.fill(NONE, given * stride, (given + 1) * stride);
    },
  };
  return {
    sink,
    start: (batch) => {
      const { rowCount } = batch;
      text = batch.text?.bytes ?? null;
      slots = new Int32Array(rowCount).fill(EMPTY);
      marks = new Int32Array(rowCount * stride).fill(NONE);
      ttls = new Float64Array(rowCount);
      length = text?.length ?? 0;
      given = 0;
      // Not from the pool, whose memory must not be given away.
      bytes = Buffer.allocUnsafeSlow(length + ROW_BYTES * rowCount);
      if (text) bytes.set(text);
    },
    end: () => ({ slots, bytes, marks, ttls }),
  };
}

/** Gives the rows of recorded batches as they were recorded, those of other batches as `inner` does. */
export function createReplayer(inner: RowEncoder, features: number): RowEncoder {
  const player = createPlayer(features);
  /** Of the first batch that had some: an encoder warns once, but each thread has its own. */
  let found: readonly string[] = [];
  return {
    selected: inner.selected,
    get warnings() {
      return [...inner.warnings, ...found];
    },
    encode: (origin, start, sink) => {
      if (!isRecorded(origin.batch)) return inner.encode(origin, start, sink);
      const { recording } = origin.batch;
      if (found.length === 0) found = recording.warnings;
      return player(recording, origin, start, sink);
    },
  };
}

function isRecorded(batch: ColumnBatch): batch is RecordedBatch {
  return 'recording' in batch;
}

type Player = (recording: Recording, origin: RowOrigin, start: number, sink: RowSink) => EncodeStep;

function createPlayer(features: number): Player {
  const stride = HEAD + 2 * features;
  let key = new Uint8Array(256);

  const give = ({ bytes, marks, ttls }: Recording, slot: number, sink: RowSink): void => {
    const head = slot * stride;
    const [start, end] = [marks[head]!, marks[head + 1]!];
    if (end - start > key.length) key = new Uint8Array(2 * (end - start));
    for (let at = start; at < end; at += 1) key[at - start] = bytes[at]!;
    sink.begin(key, end - start, ttls[slot]!, textOf(bytes, marks[head + 2]!, marks[head + 3]!));
    for (let feature = 0, mark = head + HEAD; feature < features; feature += 1, mark += 2) {
      const from = marks[mark]!;
      if (from >= 0) sink.cell(feature, bytes, from, marks[mark + 1]!);
      else if (from === REMOVED) sink.value(feature, null);
    }
  };

  return (recording, origin, start, sink) => {
    const { slots } = recording;
    let empty = 0;
    for (let row = start; row < slots.length; row += 1) {
      const slot = slots[row]!;
      if (slot === EMPTY) empty += 1;
      else if (slot === FAULT) {
        const { fault, stage } = recording.faults.get(row)!;
        return { next: row + 1, empty, fault, stage, full: false };
      } else {
        give(recording, slot, sink);
        if (sink.commit(origin, row)) return { next: row + 1, empty, fault: null, stage: 'map', full: true };
      }
    }
    return { next: slots.length, empty, fault: null, stage: 'map', full: false };
  };
}

function textOf(bytes: Uint8Array, start: number, end: number): ByteString {
  if (start < 0) return '';
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).latin1Slice();
}
