/** What the server knows of a feature view; made from a schema file by the command. */
import type { ByteString } from '../core/types.ts';

export interface ViewFeature {
  readonly name: string;
  /** The name as Redis has it. */
  readonly field: ByteString;
  /** As in the schema file, for the documentation. */
  readonly type: string;
  /**
   * What its stored bytes are: text; text of a JSON number; bytes that may be no text; a packed vector. The last two
   * are base64 where values are shown as stored.
   */
  readonly form: 'text' | 'number' | 'bytes' | 'packed';
  /** Stored → JSON value. */
  readonly typed: (stored: ByteString) => unknown;
}

export interface View {
  readonly name: string;
  /** Names of the parts of an entity, in order; one or more. */
  readonly parts: readonly string[];
  /** `values` in the order of `parts`, in ordinary text. */
  readonly keyOf: (values: readonly string[]) => ByteString;
  readonly features: readonly ViewFeature[];
  /** Index of the event time in `features`; null: age is not known and not shown. */
  readonly eventTime: number | null;
  /** Stored event time → epoch milliseconds, NaN for what is none. */
  readonly epochMs: (stored: ByteString) => number;
  /** Age in milliseconds above which an entity is stale; null: nothing says so. */
  readonly staleAfterMs: number | null;
}
