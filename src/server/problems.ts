/** The one catalogue of what the server answers when it cannot answer; docs/serving.md holds it too (a test compares). */

export const PROBLEMS = {
  BAD_REQUEST: { status: 400, meaning: 'not an HTTP request that can be read' },
  UNAUTHORIZED: { status: 401, meaning: 'no bearer token, or not one of the token file' },
  NOT_FOUND: { status: 404, meaning: 'no such path' },
  METHOD: { status: 405, meaning: 'the path is asked in another way; the header Allow says how' },
  TIMEOUT: { status: 408, meaning: 'the request did not arrive in time' },
  WRONG_TYPE: { status: 409, meaning: 'the key of the entity holds another type than a hash' },
  TOO_LARGE: { status: 413, meaning: 'the body is longer than --body-limit' },
  MEDIA_TYPE: { status: 415, meaning: 'the body is not sent as application/json' },
  INVALID: { status: 422, meaning: 'a field of the body or query is missing or wrong; `field` names it' },
  HEADERS: { status: 431, meaning: 'the headers are longer than 8 KiB' },
  INTERNAL: { status: 500, meaning: 'a bug in featurectl' },
  REFUSED: {
    status: 503,
    meaning: 'Redis does not let this server read the key or run a command (ACL); the message says which',
  },
  REDIS_AWAY: { status: 503, meaning: 'Redis cannot be reached or does not answer in time; try again' },
  BUSY: { status: 503, meaning: 'too many requests at once; try again' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

export class ServerProblem extends Error {
  readonly code: ProblemCode;
  /** What of the request is at fault. */
  readonly field: string | null;

  constructor(code: ProblemCode, message: string, field: string | null = null) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** Seconds after which trying again makes sense; null: it does not. */
export function retryAfter(code: ProblemCode): string | null {
  return PROBLEMS[code].status === 503 ? '1' : null;
}

export function problemBody({ code, message, field }: ServerProblem): Record<string, string> {
  return { code, message, ...(field === null ? {} : { field }) };
}
