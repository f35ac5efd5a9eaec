import type { FeaturectlError } from '../core/errors.ts';
import type { SourcePosition } from '../core/types.ts';
import { type CsvOptions, quoteError, sizeError } from './csv-errors.ts';
import { findQuoteFault } from './csv-quotes.ts';
import { type CellMap, scanRecords } from './csv-scan.ts';

/** What a step of scanning found besides the records in the cell map. */
export interface WindowStep {
  /** The records of the map stand in `block` from `from` on. */
  readonly block: Buffer;
  readonly from: number;
  /** Bytes of the text before the block. */
  readonly base: number;
  /** `more`: scan again; `dry`: bytes are needed; an error ends the reading. */
  readonly next: 'more' | 'dry' | FeaturectlError;
}

export interface StepLimits {
  /** At most the map's capacity. */
  readonly rows: number;
  readonly bytes: number;
  /** Look at all bytes that are there, although a record begun is not likely to be complete. */
  readonly flush: boolean;
}

/** The bytes that are not read yet. */
export interface CsvWindow {
  /** Null: the text ends here. */
  push(bytes: Buffer | null): void;
  scan(map: CellMap, limits: StepLimits): WindowStep;
}

/**
 * Keeps a record that is cut by the end of a chunk until the rest is there. It is looked at again only
 * when its bytes have doubled, so that a long record in tiny chunks costs no more than its length. Holds
 * at most twice `maxRecordSize` and two chunks. `start`: where in its text the first byte pushed stands.
 */
export function createWindow(options: CsvOptions, start: SourcePosition | null): CsvWindow {
  const { maxRecordSize } = options;
  const delimiter = options.delimiter.charCodeAt(0);
  let block: Buffer = Buffer.alloc(0);
  let base = start?.byte ?? 0;
  let at = 0;
  let line = start?.line ?? 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let ended = false;
  /** All that could be read of `block` has been. */
  let dry = true;
  let finished = false;
  let failure: FeaturectlError | null = null;

  function grow(flush: boolean): boolean {
    if (pendingBytes === 0) return ended && !finished;
    const rest = block.length - at;
    if (pendingBytes < rest && !flush && !ended) return false;
    block =
      rest === 0 && pending.length === 1 ? pending[0]! : Buffer.concat([block.subarray(at), ...pending]);
    base += at;
    at = 0;
    pending = [];
    pendingBytes = 0;
    return true;
  }

  function failureOf(stop: ReturnType<typeof scanRecords>): FeaturectlError | null {
    if (stop === 'quote')
      return quoteError(options, line, findQuoteFault(block.subarray(at), options.delimiter));
    const tooLong = stop === 'incomplete' && block.length - at > maxRecordSize;
    return stop === 'size' || tooLong ? sizeError(options, line) : null;
  }

  return {
    push: (bytes) => {
      if (bytes === null) ended = true;
      else pending.push(bytes);
      pendingBytes += bytes?.length ?? 0;
    },
    scan: (map, { rows, bytes, flush }) => {
      map.rows = 0;
      if (failure !== null || (dry && !grow(flush))) return { block, from: at, base, next: failure ?? 'dry' };
      const from = at;
      finished = ended && pendingBytes === 0;
      const input = { block, from, line, final: finished };
      const stop = scanRecords(input, { delimiter, maxRecordSize, rows, bytes }, map);
      at = map.at;
      line = map.line;
      dry = stop === 'incomplete';
      failure = failureOf(stop);
      return { block, from, base, next: failure ?? 'more' };
    },
  };
}
