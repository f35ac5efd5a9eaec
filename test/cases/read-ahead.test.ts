/** What is read before Redis is asked, and that nothing of it is lost, doubled or told too early. */
import { describe, expect, it } from 'vitest';
import { readAhead } from '../../src/commands/read-ahead.ts';
import type { ColumnBatch, Source } from '../../src/core/types.ts';

const BATCHES = [1, 2, 3].map((firstRow) => ({ firstRow }) as unknown as ColumnBatch);

/** Yields these batches, then fails where told; `log` says what was asked. */
function sourceOf(batches: readonly ColumnBatch[], log: string[], failure?: Error): Source {
  return {
    info: { name: 's' },
    async *batches(selected: readonly number[]) {
      log.push(`selected ${selected.join()}`);
      try {
        for (const batch of batches) {
          log.push(`batch ${batch.firstRow}`);
          yield batch;
        }
        if (failure) throw failure;
      } finally {
        log.push('ended');
      }
    },
  } as unknown as Source;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the first batch', () => {
  it('is read at once, and no second one', async () => {
    const log: string[] = [];
    const source = readAhead(sourceOf(BATCHES, log), [4, 2]);
    await turn();
    expect(log).toEqual(['selected 4,2', 'batch 1']);
    const seen: ColumnBatch[] = [];
    for await (const batch of source.batches([4, 2])) seen.push(batch);
    expect(seen).toEqual(BATCHES);
    expect(log).toEqual(['selected 4,2', 'batch 1', 'batch 2', 'batch 3', 'ended']);
    expect(source.info.name).toBe('s');
  });

  it.each([[[]], [BATCHES]])(
    'and what follows come before a fault, which is told where it is asked for',
    async (all) => {
      const source = readAhead(sourceOf(all, [], new Error('broken')), [0]);
      // Long enough for a rejection that nobody takes to end the process.
      await turn();
      const seen: ColumnBatch[] = [];
      const reading = (async () => {
        for await (const batch of source.batches([0])) seen.push(batch);
      })();
      await expect(reading).rejects.toThrow('broken');
      expect(seen).toEqual(all);
    },
  );

  it.each([1, 2])('%i taken: whoever stops ends the reading', async (taken) => {
    const log: string[] = [];
    let seen = 0;
    for await (const _ of readAhead(sourceOf(BATCHES, log), [0]).batches([0])) {
      seen += 1;
      if (seen === taken) break;
    }
    expect(log).toEqual(['selected 0', ...['batch 1', 'batch 2'].slice(0, taken), 'ended']);
  });
});
