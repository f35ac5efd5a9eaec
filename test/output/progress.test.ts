import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openJsonLog } from '../../src/output/log.ts';
import {
  createProgress,
  type ProgressOptions,
  type ProgressSnapshot,
  plainLine,
  progressFields,
  terminalLine,
} from '../../src/output/progress.ts';

const half: ProgressSnapshot = { rows: 1_234_567, failures: 3, bytesRead: 512, bytesTotal: 1024 };
const unknown: ProgressSnapshot = { rows: 10, failures: 0, bytesRead: 2048, bytesTotal: null };

describe('lines', () => {
  test('terminal', async () => {
    expect(terminalLine(half, 10_000, 200)).toBe(
      '[=========>          ]  50%  1,234,567 rows  123,457 rows/s  ETA 10s  3 failed',
    );
    expect(terminalLine(unknown, 1000, 200)).toBe('2.0 KiB  10 rows  10 rows/s');
  });

  test('a terminal line is cut to the width', async () => {
    expect(terminalLine(half, 10_000, 30)).toHaveLength(30);
  });

  test('plain', async () => {
    expect(plainLine(half, 10_000)).toBe(
      'featurectl: 1,234,567 rows, 123,457 rows/s, 512 B of 1.0 KiB (50%), ETA 10s, 3 failed',
    );
    expect(plainLine(unknown, 0)).toBe('featurectl: 10 rows, 0 rows/s, 2.0 KiB, 0 failed');
  });

  test('JSON', async () => {
    expect(progressFields(half, 10_000)).toEqual({
      rows: 1_234_567,
      rows_per_second: 123_457,
      failures: 3,
      bytes_read: 512,
      bytes_total: 1024,
      eta_seconds: 10,
    });
    expect(progressFields(unknown, 0)).toMatchObject({ bytes_total: null, eta_seconds: null });
  });
});

/** A stream that says it is a terminal, and keeps what is written. */
function fakeTerminal() {
  let text = '';
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 80,
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  });
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { stream, text: () => text };
}

function optionsFor(
  terminal: ReturnType<typeof fakeTerminal>,
  more: Partial<ProgressOptions>,
): ProgressOptions {
  return {
    stream: terminal.stream,
    isTty: false,
    quiet: false,
    log: null,
    intervalMs: 10_000,
    env: {},
    now: () => Date.now(),
    ...more,
  };
}

describe('shown', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('plain lines: none before the interval, one each interval, also without updates', async () => {
    const terminal = fakeTerminal();
    const progress = await createProgress(optionsFor(terminal, {}));
    progress.update(half);
    vi.advanceTimersByTime(9_999);
    progress.update(half);
    expect(terminal.text()).toBe('');
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(10_000);
    expect(terminal.text().split('\n')).toEqual([plainLine(half, 10_000), plainLine(half, 20_000), '']);
    progress.stop();
    vi.advanceTimersByTime(60_000);
    expect(terminal.text().split('\n')).toHaveLength(3);
  });

  test('notes: at once, plain or JSON, on one line', async () => {
    const terminal = fakeTerminal();
    (await createProgress(optionsFor(terminal, {}))).note('a\nb');
    const log = await openJsonLog(terminal.stream, { run_id: 'r' });
    const progress = await createProgress(optionsFor(terminal, { log, isTty: true }));
    progress.note('a\nb redis://u:s3cret@h', 'retry');
    progress.update(half);
    vi.advanceTimersByTime(10_000);
    progress.stop();
    const [plain, note, line, end] = terminal.text().split('\n');
    expect(plain).toBe('featurectl: a\\x0ab');
    expect(JSON.parse(note ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      run_id: 'r',
      event: 'retry',
      message: 'a\nb redis://u:***@h',
    });
    expect(JSON.parse(line ?? '')).toMatchObject({ level: 'info', event: 'progress', rows: 1_234_567 });
    expect(end).toBe('');
  });

  test('quiet: nothing at all, on a terminal and off', async () => {
    for (const isTty of [true, false]) {
      const terminal = fakeTerminal();
      const progress = await createProgress(optionsFor(terminal, { quiet: true, isTty }));
      progress.update(half);
      progress.note('x');
      vi.advanceTimersByTime(60_000);
      progress.stop();
      expect(terminal.text()).toBe('');
    }
  });

  test('a terminal gets one line, drawn again, and notes above it', async () => {
    const terminal = fakeTerminal();
    const progress = await createProgress(optionsFor(terminal, { isTty: true }));
    vi.advanceTimersByTime(1000);
    progress.update(half);
    vi.advanceTimersByTime(200);
    expect(stripVTControlCharacters(terminal.text())).toContain('50%  1,234,567 rows');
    progress.note('retrying');
    expect(terminal.text()).toContain('featurectl: retrying\n');
    progress.stop();
    const size = terminal.text().length;
    vi.advanceTimersByTime(10_000);
    progress.stop();
    expect(terminal.text()).toHaveLength(size);
  });

  test('a pseudo terminal without a size: plain lines, no control codes', async () => {
    const sizeless = fakeTerminal();
    sizeless.stream.columns = 0;
    const plain = await createProgress(optionsFor(sizeless, { isTty: true }));
    plain.update(half);
    vi.advanceTimersByTime(10_000);
    plain.stop();
    expect(sizeless.text()).toBe(`${plainLine(half, 10_000)}\n`);
  });

  test('TERM=dumb: plain lines, no control codes', async () => {
    const dumb = fakeTerminal();
    const plain = await createProgress(optionsFor(dumb, { isTty: true, env: { TERM: 'dumb' } }));
    plain.update(half);
    vi.advanceTimersByTime(10_000);
    plain.stop();
    expect(dumb.text()).toBe(`${plainLine(half, 10_000)}\n`);
  });
});
