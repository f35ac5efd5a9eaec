/** Numbers and dates in a writing that no type reads, told as what the column could be. */
import type { ByteString } from '../../core/types.ts';
import { isYearLast } from '../codecs/codec.ts';

interface Shape {
  readonly fits: (cell: ByteString) => boolean;
  /** What at least one cell must show, such as the comma of 0,5 beside 12. */
  readonly shows: RegExp;
  readonly hint: string;
}

const SHAPES: readonly Shape[] = [
  {
    fits: (cell) => /^-?(?:0|[1-9]\d*)(?:,\d+)?$/.test(cell),
    shows: /,/,
    hint: 'float64 once written with a decimal point, not a comma',
  },
  {
    fits: (cell) => /^-?(?:0|[1-9]\d{0,2})(?:,\d{3})*(?:\.\d+)?$/.test(cell),
    shows: /,/,
    hint: 'float64 once written without commas',
  },
  {
    fits: isYearLast,
    // Two digits at the end may also be of a version, as in 1.10.12.
    shows: /\D\d{4}(?:\D|$)/,
    hint: 'date or timestamp once written year first (pandas: to_datetime)',
  },
];

/** Of the cells that only text can be; a hint where they are all one of these and no other. */
export function startShapes(): { add(cell: ByteString): void; hint(): string | null } {
  let live = SHAPES;
  const shown = new Set<Shape>();
  return {
    add: (cell) => {
      if (live.length === 0) return;
      live = live.filter(({ fits }) => fits(cell));
      for (const shape of live) if (!shown.has(shape) && shape.shows.test(cell)) shown.add(shape);
    },
    hint: () => {
      const [only, ...others] = live;
      return only !== undefined && others.length === 0 && shown.has(only) ? only.hint : null;
    },
  };
}
