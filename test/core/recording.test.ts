/** Recorded and replayed rows are what the encoder itself gives to a sink, from any row on. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRecorder, createReplayer, type RecordedBatch } from '../../src/core/recording.ts';
import type {
  ColumnBatch,
  EncodeStep,
  RowEncoder,
  RowFault,
  RowOrigin,
  RowSink,
  Source,
} from '../../src/core/types.ts';

/** What the made-up encoder does with a row. */
type Row =
  | { readonly kind: 'empty' | 'aborted' }
  | { readonly kind: 'fault'; readonly stage: 'read' | 'map' }
  | {
      readonly kind: 'given';
      readonly key: string;
      readonly ttlMs: number;
      readonly eventTime: string;
      /** By feature: not told, null, made, copied from elsewhere, or standing in the batch's text. */
      readonly cells: readonly (
        | undefined
        | null
        | string
        | { readonly copied: string }
        | readonly [number, number]
      )[];
    };

const FEATURES = 3;
const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array).toString('latin1'));
const long = fc.integer({ min: 100, max: 3000 }).map((length) => 'x'.repeat(length));
const text = Buffer.from('some,text that,stands in memory\n');
const place = fc
  .tuple(fc.nat({ max: text.length }), fc.nat({ max: text.length }))
  .map(([a, b]): readonly [number, number] => [Math.min(a, b), Math.max(a, b)]);
const cell = fc.oneof(
  fc.constant(undefined),
  fc.constant(null),
  bytes,
  long,
  bytes.map((copied) => ({ copied })),
  place,
);
const row: fc.Arbitrary<Row> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('empty' as const, 'aborted' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      stage: fc.constantFrom('read' as const, 'map' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('given' as const),
      key: fc.oneof(bytes, long),
      ttlMs: fc.constantFrom(0, 1, 3_600_000, 2 ** 45),
      eventTime: bytes,
      cells: fc.array(cell, { minLength: FEATURES, maxLength: FEATURES }),
    }),
  },
);

it('gives the same steps and the same rows, whenever the sink wants room', () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 30 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      (rows, hasText, roomEvery) => {
        const encoder = encoderOf(rows);
        const origin = originOf(rows.length, hasText);
        const recording = structuredClone(createRecorder(FEATURES)(encoderOf(rows), origin));
        const replayer = createReplayer(refusing, FEATURES);
        const batch: RecordedBatch = { ...origin.batch, recording };
        expect(walk(replayer, { ...origin, batch }, roomEvery)).toEqual(walk(encoder, origin, roomEvery));
      },
    ),
  );
});

it('one recorder keeps batches apart', () => {
  const record = createRecorder(FEATURES);
  const given = (key: string): Row => ({
    kind: 'given',
    key,
    ttlMs: 1,
    eventTime: '',
    cells: ['v', undefined, null],
  });
  const recorded = [[given('a'), given('b')], [given('c')]].map((rows) => {
    const origin = originOf(rows.length, false);
    return { origin, recording: record(encoderOf(rows), origin) };
  });
  const keys = recorded.map(({ origin, recording }) => {
    const batch: RecordedBatch = { ...origin.batch, recording };
    return walk(createReplayer(refusing, FEATURES), { ...origin, batch }, 9).calls.filter(
      ([call]) => call === 'begin',
    );
  });
  expect(keys).toEqual([
    [
      ['begin', 'a', 1, ''],
      ['begin', 'b', 1, ''],
    ],
    [['begin', 'c', 1, '']],
  ]);
});

it('warnings of the first batch that has some are told, once, beside those of the encoder in this thread', () => {
  const warnings: string[] = [];
  const noisy: RowEncoder = {
    ...encoderOf([{ kind: 'empty' }]),
    warnings,
    encode: (origin) => {
      warnings.push(`found ${warnings.length}`);
      return { next: origin.batch.rowCount, empty: 1, fault: null, stage: 'map', full: false };
    },
  };
  const record = createRecorder(FEATURES);
  const replayer = createReplayer({ ...refusing, warnings: ['early'] }, FEATURES);
  for (let i = 0; i < 3; i += 1) {
    const origin = originOf(1, false);
    const batch: RecordedBatch = { ...origin.batch, recording: record(noisy, origin) };
    walk(replayer, { ...origin, batch }, 1);
  }
  expect(replayer.warnings).toEqual(['early', 'found 0']);
});

it('a batch that no thread has read is encoded here', () => {
  const rows: Row[] = [{ kind: 'given', key: 'k', ttlMs: 5, eventTime: 't', cells: ['v', null, undefined] }];
  const origin = originOf(1, true);
  expect(walk(createReplayer(encoderOf(rows), FEATURES), origin, 1)).toEqual(
    walk(encoderOf(rows), origin, 1),
  );
});

const FAULT: RowFault = { code: 'INT', column: 'x', reason: 'expected an integer' };

const refusing: RowEncoder = {
  selected: [0],
  warnings: [],
  encode: () => {
    throw new Error('the rows have been encoded');
  },
};

function encoderOf(rows: readonly Row[]): RowEncoder {
  const encode = (origin: RowOrigin, start: number, sink: RowSink): EncodeStep => {
    let empty = 0;
    for (let at = start; at < rows.length; at += 1) {
      const one = rows[at]!;
      if (one.kind === 'fault')
        return { next: at + 1, empty, fault: { ...FAULT }, stage: one.stage, full: false };
      if (one.kind !== 'given') empty += 1;
      if (one.kind === 'aborted') {
        sink.begin(Buffer.from('gone'), 4, 9, 'never');
        sink.value(1, 'gone');
        sink.abort();
      }
      if (one.kind === 'given' && give(one, origin, at, sink)) {
        return { next: at + 1, empty, fault: null, stage: 'map', full: true };
      }
    }
    return { next: rows.length, empty, fault: null, stage: 'map', full: false };
  };
  return { selected: [0], warnings: [], encode };
}

function give(given: Extract<Row, { kind: 'given' }>, origin: RowOrigin, at: number, sink: RowSink): boolean {
  // As the encoder's own: a longer buffer, used again.
  sink.begin(Buffer.from(`${given.key}more`, 'latin1'), given.key.length, given.ttlMs, given.eventTime);
  for (const [feature, one] of given.cells.entries()) {
    if (one === undefined) continue;
    if (one === null || typeof one === 'string') sink.value(feature, one);
    else if ('copied' in one) {
      sink.cell(feature, Buffer.from(`<${one.copied}>`, 'latin1'), 1, 1 + one.copied.length);
    } else sink.cell(feature, origin.batch.text?.bytes ?? text, one[0], one[1]);
  }
  return sink.commit(origin, at);
}

function originOf(rowCount: number, hasText: boolean): RowOrigin {
  const batch: ColumnBatch = {
    rowCount,
    firstRow: 1,
    columns: [],
    faults: null,
    line: (at) => at + 2,
    record: () => [],
    position: (at) => ({ row: at, line: at + 2, byte: 0 }),
    ...(hasText ? { text: { bytes: text, delimiter: 44 } } : {}),
  };
  const source: Source = {
    info: { name: 'in.csv', format: 'csv', totalBytes: null },
    columns: [],
    recordColumns: () => [],
    warnings: [],
    bytesRead: () => 0,
    batches: () => {
      throw new Error('not read here');
    },
    close: async () => {},
  };
  return { source, batch, recordColumns: [] };
}

type Call = readonly unknown[];

/** All steps, and what of them a sink sees; a cell is a value that stands elsewhere. Aborted rows leave nothing. */
function walk(
  encoder: RowEncoder,
  origin: RowOrigin,
  roomEvery: number,
): { steps: EncodeStep[]; calls: Call[] } {
  const steps: EncodeStep[] = [];
  const calls: Call[] = [];
  let open: Call[] = [];
  let commits = 0;
  const sink: RowSink = {
    begin: (key, length, ttlMs, eventTime) => {
      open = [['begin', Buffer.from(key.subarray(0, length)).toString('latin1'), ttlMs, eventTime]];
    },
    value: (feature, value) => void open.push(['value', feature, value]),
    cell: (feature, from, start, end) => {
      open.push(['value', feature, Buffer.from(from.subarray(start, end)).toString('latin1')]);
    },
    commit: (_origin, at) => {
      calls.push(...open, ['commit', at]);
      commits += 1;
      return commits % roomEvery === 0;
    },
    abort: () => {
      open = [];
    },
  };
  for (let at = 0; at < origin.batch.rowCount; ) {
    const step = encoder.encode(origin, at, sink);
    steps.push(step);
    at = step.next;
  }
  return { steps, calls };
}
