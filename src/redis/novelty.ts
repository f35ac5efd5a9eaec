/**
 * Whether the keys of a load are new to Redis, learnt from its answers. RESTORE creates a key for half of what a
 * script call costs, and a key that exists costs both. So a few rows are tried; while nearly all of them are new
 * the others follow, else rows go to the script and others are tried later, more and more seldom.
 */

/** Rows that are tried before their answers are known. */
const TRIAL_ROWS = 256;
/** Answers after which what is believed is judged again. */
const BLOCK_ROWS = 1024;
/** Of the rows of a trial or block; fewer, and the script is faster. */
const NEW_SHARE = 0.9;
/** Rows between two trials. */
const FIRST_PAUSE = 50_000;
const MAX_PAUSE = 1_600_000;

/** One for all lanes of a writer. */
export interface Novelty {
  /** The next row is taken for new. */
  expectsNew(): boolean;
  /** A row was committed, as a new one or for the script. */
  sent(asNew: boolean): void;
  /** Redis answered a row that was sent as a new one. */
  answered(isNew: boolean): void;
}

export function createNovelty(): Novelty {
  let isBelieved = false;
  let trial = TRIAL_ROWS;
  /** Rows that go to the script before the next trial. */
  let left = 0;
  let pause = FIRST_PAUSE;
  let answers = 0;
  let fresh = 0;

  function rest(): void {
    isBelieved = false;
    left = pause;
    pause = Math.min(2 * pause, MAX_PAUSE);
  }

  function judge(): void {
    const isNew = fresh >= NEW_SHARE * answers;
    answers = 0;
    fresh = 0;
    if (!isNew) return rest();
    isBelieved = true;
    pause = FIRST_PAUSE;
  }

  return {
    expectsNew: () => isBelieved || trial > 0,
    sent: (asNew) => {
      if (isBelieved) return;
      if (asNew) {
        trial -= 1;
        // Answers that never come, since rows were sent in another form after a fault, must not be waited for.
        if (trial === 0) left = pause;
        return;
      }
      left -= 1;
      if (left > 0) return;
      trial = TRIAL_ROWS;
      answers = 0;
      fresh = 0;
    },
    answered: (isNew) => {
      answers += 1;
      if (isNew) fresh += 1;
      if (answers >= (isBelieved ? BLOCK_ROWS : TRIAL_ROWS)) judge();
    },
  };
}
