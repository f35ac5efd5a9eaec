/** Which rows are taken for new, by what Redis answered before. */
import { describe, expect, it } from 'vitest';
import { createNovelty, type Novelty } from '../../src/redis/novelty.ts';

/** Sends rows of which `isNew` tells whether Redis has the key, each answered at once; gives how many went as new. */
function send(novelty: Novelty, rows: number, isNew: (row: number) => boolean): number {
  let asNew = 0;
  for (let row = 0; row < rows; row += 1) {
    const taken = novelty.expectsNew();
    novelty.sent(taken);
    if (!taken) continue;
    asNew += 1;
    novelty.answered(isNew(row));
  }
  return asNew;
}

const always = () => true;
const never = () => false;

describe('novelty', () => {
  it('all new: every row', () => {
    expect(send(createNovelty(), 100_000, always)).toBe(100_000);
  });

  it('few exist: every row', () => {
    expect(send(createNovelty(), 100_000, (row) => row % 20 > 0)).toBe(100_000);
  });

  it('all exist: a trial, then more and more seldom', () => {
    const novelty = createNovelty();
    // Each pause is twice as long as the one before it.
    for (const pause of [50_000, 100_000, 200_000, 400_000]) {
      expect(send(novelty, 256, never)).toBe(256);
      expect(send(novelty, pause, never)).toBe(0);
    }
  });

  it('new ones after others are found by a later trial', () => {
    const novelty = createNovelty();
    expect(send(novelty, 10_000, never)).toBe(256);
    expect(send(novelty, 100_000, always)).toBeGreaterThan(50_000);
  });

  it('others after new ones end it within a block', () => {
    const novelty = createNovelty();
    send(novelty, 10_000, always);
    expect(send(novelty, 40_000, never)).toBeLessThan(1200);
  });

  it('before the answers are there no more than a trial; answers that never come are not waited for', () => {
    const novelty = createNovelty();
    let asNew = 0;
    for (let row = 0; row < 60_000; row += 1) {
      const taken = novelty.expectsNew();
      novelty.sent(taken);
      if (taken) asNew += 1;
      if (row === 1000) expect(asNew).toBe(256);
    }
    expect(asNew).toBe(512);
  });
});
