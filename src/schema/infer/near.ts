/** A type that nearly all values of a text column have, and where the others are. */
import type { ByteString } from '../../core/types.ts';
import { isFault } from '../codecs/codec.ts';
import type { Candidate, Race } from './candidates.ts';

export interface Near {
  readonly type: string;
  /** Values of another type, of so many. */
  readonly misses: number;
  readonly values: number;
  /** Of the first of them. */
  readonly line: number;
}

/** Values that may miss before what is seen of the type must be at least 1 / SHARE of them. */
const FEW = 20;
const SHARE = 10;

/** What is said of no value: every text is one. */
const ANY = 'string';

export interface NearRace {
  /** A value that is no null; `line` is asked where it is not of a type that so far all were of. */
  add(cell: ByteString, line: () => number): void;
  /** The narrowest that at most one in SHARE values is not of; null: there is none, or nothing misses. */
  near(): Near | null;
}

/** `race` has seen each value before it is added here: those still in it miss nothing, so only the others are asked. */
export function startNearRace(candidates: readonly Candidate[], race: Race): NearRace {
  let values = 0;
  let live = candidates
    .filter(({ form }) => form.type !== ANY)
    .map((candidate) => ({ candidate, misses: 0, line: 0 }));
  let asked: typeof live = [];
  let size = race.size;
  return {
    add: (cell, line) => {
      values += 1;
      if (size !== race.size) {
        size = race.size;
        asked = live.filter(({ candidate }) => !race.isLive(candidate));
      }
      let isOut = false;
      for (const runner of asked) {
        if (!isFault(runner.candidate.code(cell))) continue;
        if (runner.misses === 0) runner.line = line();
        runner.misses += isName(cell) ? Number.POSITIVE_INFINITY : 1;
        isOut ||= isLost(runner.misses, values);
      }
      if (!isOut) return;
      live = live.filter(({ misses }) => !isLost(misses, values));
      asked = asked.filter(({ misses }) => !isLost(misses, values));
    },
    near: () => {
      const found = live.find(
        ({ candidate, misses }) => misses > 0 && misses * SHARE <= values && candidate.isSure(),
      );
      return found
        ? { type: found.candidate.form.type, misses: found.misses, values, line: found.line }
        : null;
    },
  };
}

/** 007 and +49… are no mistakes: such columns hold names that look like numbers. */
function isName(cell: ByteString): boolean {
  return /^(?:\+|-?0)\d/.test(cell);
}

/** So many that what comes after would have to be a long time of the type: the column is of none. */
function isLost(misses: number, values: number): boolean {
  return misses > FEW && misses * 2 > values;
}
