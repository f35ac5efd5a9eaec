/**
 * The one catalogue of what can go wrong. docs/errors.md is made from it (a test compares).
 * A bad row is data and has a RowCode; a bad world is a FeaturectlError and has an ErrorCode.
 */

export const EXIT = {
  ok: 0,
  someFailed: 1,
  usage: 2,
  budget: 3,
  fatal: 4,
  bug: 5,
  sigint: 130,
  sigterm: 143,
} as const;

export const ERRORS = {
  USAGE: { exit: EXIT.usage, meaning: 'an option or argument is missing, unknown or not of its form' },
  SCHEMA: {
    exit: EXIT.usage,
    meaning: 'the schema file is not valid; every problem is listed with its path',
  },
  CHECKPOINT: {
    exit: EXIT.usage,
    meaning: 'the checkpoint file is of another load, or no checkpoint; nothing was written',
  },
  COLUMN: { exit: EXIT.usage, meaning: 'a column that the schema names is not in the source' },
  TYPE: { exit: EXIT.usage, meaning: 'a source column has a type that its feature cannot take' },
  BUDGET: { exit: EXIT.budget, meaning: 'more rows failed than --max-errors allows' },
  EMPTY: { exit: EXIT.budget, meaning: 'the sources hold no row and --fail-on-empty was given' },
  SOURCE_MISSING: {
    exit: EXIT.fatal,
    meaning: 'no file at that path, or a glob or directory without a match',
  },
  SOURCE_READ: {
    exit: EXIT.fatal,
    meaning: 'the source cannot be read (permission, a directory, an I/O error)',
  },
  SOURCE_FORMAT: {
    exit: EXIT.fatal,
    meaning: 'the content is not of the format that the name or --format says',
  },
  SOURCE_TRUNCATED: { exit: EXIT.fatal, meaning: 'the source ends too early' },
  SOURCE_CHANGED: {
    exit: EXIT.fatal,
    meaning: 'the file was changed while it was read, or since its shards were planned',
  },
  SOURCE_CORRUPT: { exit: EXIT.fatal, meaning: 'the source is damaged' },
  SOURCE_ENCRYPTED: { exit: EXIT.fatal, meaning: 'the Parquet file is encrypted' },
  SOURCE_ENCODING: { exit: EXIT.fatal, meaning: 'the text is in an encoding that was not asked for' },
  CSV_HEADER: { exit: EXIT.fatal, meaning: 'no header, or a column name that stands twice or not at all' },
  CSV_QUOTE: {
    exit: EXIT.fatal,
    meaning: 'a quoted field is not closed, or goes on after its closing quote',
  },
  RECORD_SIZE: { exit: EXIT.fatal, meaning: 'a line of ndjson is longer than --max-record-size' },
  CSV_SIZE: { exit: EXIT.fatal, meaning: 'a record is longer than --max-record-size' },
  REDIS_CONNECT: { exit: EXIT.fatal, meaning: 'no connection to Redis within --retry-for' },
  REDIS_AUTH: { exit: EXIT.fatal, meaning: 'Redis refused the user, the password or a command (ACL)' },
  REDIS_LOST: { exit: EXIT.fatal, meaning: 'Redis took no row for --retry-for; what was settled is counted' },
  REDIS_DATA_LOSS: {
    exit: EXIT.fatal,
    meaning: 'Redis came back without rows that it had taken (restart, failover): load all of it again',
  },
  REDIS_SERVER: { exit: EXIT.fatal, meaning: 'the server cannot do what was asked (version, mode)' },
  LISTEN: {
    exit: EXIT.fatal,
    meaning: 'serve cannot listen there: the port is taken or the address is not of this machine',
  },
  OUTPUT: { exit: EXIT.fatal, meaning: 'a rejects, report or other output file cannot be written' },
  INTERNAL: { exit: EXIT.bug, meaning: 'a bug in featurectl' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export const ROW_CODES = {
  FIELD_COUNT: 'the record has more or fewer fields than the header',
  INVALID_UTF8: 'a mapped cell is not valid UTF-8',
  KEY_NULL: 'an entity column is null',
  KEY_EMPTY: 'an entity column is an empty string',
  KEY_BLANK: 'an entity column holds only white space',
  NULL: 'a feature is null and its null policy is error',
  INT: 'not an integer in decimal digits',
  INT_RANGE: 'an integer outside the range of its type',
  FLOAT: 'not a decimal number',
  FLOAT_RANGE: 'a number too large for its type, or NaN or Infinity without allow_nonfinite',
  BOOL: 'not one of the words for true and false',
  TIMESTAMP: 'not an RFC 3339 time, or no such date',
  TIMESTAMP_ZONE: 'a time without a zone, and no timezone in the schema',
  TIMESTAMP_RANGE: 'a time before 1677 or after 2262 by its unit',
  DATE: 'not a date of the form YYYY-MM-DD, or no such date',
  DECIMAL: 'not a decimal number in digits',
  BYTES: 'not valid base64 or hex',
  JSON: 'not valid JSON; as a whole row: not a JSON object',
  DUPLICATE_KEY: 'a key stands twice in the JSON object',
  UNKNOWN_KEY: 'without a schema: a key that the first rows of the file do not have',
  VECTOR: 'not an array of numbers, or a null among them',
  VECTOR_LENGTH: 'a vector of another length than the schema says',
  TOO_LONG: 'longer than max_bytes',
  BOUNDS: 'below min or above max',
  EVENT_TIME: 'the event time is null and mode newer needs it',
  WRONGTYPE: 'the key holds another Redis type; it was left alone',
  NOPERM: 'the ACL does not let this user write this key',
  OOM: 'Redis is out of memory for this row',
  EXPIRE_FAILED: 'the hash was written but its TTL was not set',
  REDIS: 'Redis refused the row with another error',
  UNSETTLED: 'sent or about to be sent when the run ended; Redis may or may not hold it',
} as const;

export type RowCode = keyof typeof ROW_CODES;

export const SKIP_CODES = {
  empty: 'no feature of the row has a value',
  unchanged: 'mode newer: same event time as stored; TTL refreshed',
  stale: 'mode newer: older than what is stored',
} as const;

export type SkipCode = keyof typeof SKIP_CODES;

/** A condition that ends the run. `message` says what was expected, what was found, where, what to do. */
export class FeaturectlError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'FeaturectlError';
    this.code = code;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}
