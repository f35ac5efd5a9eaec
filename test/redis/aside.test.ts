/** Rows that are set aside on a Cluster: which hold back which, and in what order they come out; redirections. */
import { describe, expect, it } from 'vitest';
import type { RowOrigin } from '../../src/core/types.ts';
import { createAside } from '../../src/redis/aside.ts';
import { type Chunk, createChunkPool } from '../../src/redis/chunk.ts';
import type { Framer } from '../../src/redis/framer.ts';
import { createPipelineFramer } from '../../src/redis/pipeline-framer.ts';
import { parseRedirect } from '../../src/redis/redirect.ts';
import { createScriptFramer } from '../../src/redis/script-framer.ts';
import { unitKeys } from '../../src/redis/unit-keys.ts';

const ORIGIN = { source: {}, batch: {}, recordColumns: [] } as unknown as RowOrigin;
const pool = createChunkPool(100, 4096, 4);

const FRAMERS = {
  merge: (emit: (chunk: Chunk) => void) => createPipelineFramer({ ...SHARED, mode: 'merge', emit }),
  replace: (emit: (chunk: Chunk) => void) => createPipelineFramer({ ...SHARED, mode: 'replace', emit }),
  script: (emit: (chunk: Chunk) => void) =>
    createScriptFramer({ ...SHARED, mode: 'merge', emit, sha: 's'.repeat(40), callRows: 1 }),
};
const SHARED = { fields: ['x'], chunkRows: 100, chunkBytes: 4096, pool };

/** One chunk with a row for each key, numbered in order. */
function chunkOf(name: keyof typeof FRAMERS, keys: readonly string[]): { chunk: Chunk; framer: Framer } {
  const chunks: Chunk[] = [];
  const framer = FRAMERS[name]((chunk) => void chunks.push(chunk));
  for (const [i, key] of keys.entries()) {
    const bytes = Buffer.from(key, 'latin1');
    framer.begin(bytes, bytes.length, 1000, '');
    framer.value(0, `v${i}`);
    framer.commit(ORIGIN, i);
  }
  framer.flush();
  return { chunk: chunks[0] as Chunk, framer };
}

const rowsOf = (chunk: Chunk): number[] => [...chunk.rowAt.subarray(0, chunk.rows)];

describe.each(['merge', 'replace', 'script'] as const)('%s', (name) => {
  it('a key that went holds back its later rows, and no other key', () => {
    const { chunk, framer } = chunkOf(name, ['a', 'b', 'a', 'c', 'b', 'a']);
    const aside = createAside(pool, () => framer);
    const held: number[] = [];
    for (chunk.unit = 0; chunk.unit < chunk.units; chunk.unit += 1) {
      if (aside.holds(chunk)) {
        held.push(chunk.unit);
        aside.add(chunk, 'held');
      } else if (chunk.unit === 0) aside.add(chunk, { kind: 'moved', slot: 7, node: 'h:1' });
      else chunk.told += 1;
    }
    expect(held).toEqual([2, 5]);
    expect(chunk.told).toBe(6);
    const { asked, others, movedTo } = aside.take();
    expect(asked).toEqual([]);
    expect([...movedTo]).toEqual([[7, 'h:1']]);
    // What may be in Redis already is apart from what is not.
    expect(others.map((each) => [rowsOf(each), each.doubt])).toEqual([
      [[0], false],
      [[2, 5], true],
    ]);
    expect(aside.isEmpty()).toBe(true);
  });

  it('rows under ASK come first, with later rows of their keys, by node', () => {
    const { chunk, framer } = chunkOf(name, ['a', 'b', 'c', 'a', 'b']);
    const aside = createAside(pool, () => framer);
    const redirects = [
      { kind: 'ask', slot: 1, node: 'h:1' },
      { kind: 'moved', slot: 2, node: 'h:2' },
      { kind: 'ask', slot: 1, node: 'h:3' },
      'held',
      { kind: 'ask', slot: 2, node: 'h:9' },
    ] as const;
    for (chunk.unit = 0; chunk.unit < chunk.units; chunk.unit += 1) {
      aside.add(chunk, redirects[chunk.unit] ?? 'held');
    }
    const { asked, others } = aside.take();
    expect(asked.map((each) => [each.node, rowsOf(each.chunk)])).toEqual([
      ['h:1', [0]],
      ['h:3', [2]],
      ['h:1', [3]],
    ]);
    expect(others.flatMap(rowsOf)).toEqual([1, 4]);
  });

  it('the copy is the same bytes, and can be sent', () => {
    const { chunk, framer } = chunkOf(name, ['a', '{t}\r\n', '']);
    const aside = createAside(pool, () => framer);
    const whole = Buffer.from(framer.resendFrom(chunk));
    for (chunk.unit = 0; chunk.unit < chunk.units; chunk.unit += 1) {
      aside.add(chunk, { kind: 'moved', slot: 1, node: 'h:1' });
    }
    const [copy] = aside.take().others as [Chunk];
    expect(framer.resendFrom(copy).equals(whole)).toBe(true);
    expect([0, 1, 2].flatMap((unit) => unitKeys(copy, unit))).toEqual(['a', '{t}\r\n', '']);
  });
});

it.each([
  ['MOVED 3999 127.0.0.1:6381', { kind: 'moved', slot: 3999, node: '127.0.0.1:6381' }],
  ['ASK 1 node-2.local:7000', { kind: 'ask', slot: 1, node: 'node-2.local:7000' }],
  ['-MOVED 0 ::1:6381', { kind: 'moved', slot: 0, node: '::1:6381' }],
  ['MOVED 5 :6381', { kind: 'moved', slot: 5, node: 'asked:6381' }],
  ['MOVED 5 ?:6381', { kind: 'moved', slot: 5, node: 'asked:6381' }],
  ['TRYAGAIN Multiple keys request during rehashing of slot', null],
  ['MOVED', null],
])('%s', (text, expected) => {
  expect(parseRedirect(text, 'asked:1')).toEqual(expected);
});
