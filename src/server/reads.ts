/** The two reading endpoints: from a checked body to the bytes of the answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EntityTaker, FeatureReader } from '../core/feature-reader.ts';
import { putEntity, putRefused } from './entity-json.ts';
import { type EntityKey, keyOfEntity } from './entity-key.ts';
import { copyOf, giveJson, type JsonBytes, putText, takeJson } from './json-bytes.ts';
import type { createPlanner, Query } from './plans.ts';
import { type ProblemCode, ServerProblem } from './problems.ts';
import type { View } from './view.ts';

export interface ReadContext {
  readonly view: View;
  readonly reader: FeatureReader;
  readonly planOf: ReturnType<typeof createPlanner>;
  readonly gate: Gate;
}

/** Bounds the requests that are being read at once. */
export interface Gate {
  /** False: there is no room. */
  enter(): boolean;
  leave(): void;
}

export interface SingleBody {
  readonly entity_key: EntityKey;
  readonly features?: readonly string[];
}

export interface BatchBody {
  readonly entity_keys: readonly EntityKey[];
  readonly features?: readonly string[];
}

type Send = (reply: FastifyReply, status: number, json: JsonBytes) => void;

const JSON_TYPE = 'application/json; charset=utf-8';

/** Above it, a copy of the bytes costs less than a string. */
const MAX_TEXT = 16 * 1024;

const send: Send = (reply, status, json) => {
  const body = json.length <= MAX_TEXT ? json.bytes.utf8Slice(0, json.length) : copyOf(json);
  giveJson(json);
  reply.code(status).header('content-type', JSON_TYPE).send(body);
};

const REFUSALS = {
  type: ['WRONG_TYPE', 'expected a hash at the key of this entity, found another type'],
  rights: ['REFUSED', 'Redis does not let this server read the key of this entity'],
} as const;

const FAILURES = {
  away: ['REDIS_AWAY', 'Redis cannot be reached or does not answer in time; try again'],
  busy: ['BUSY', 'too many requests at once; try again'],
  denied: ['REFUSED', 'Redis does not let this server run a command that it needs'],
} as const;

/** Throws ServerProblem for what can be said at once. */
export function readSingle(context: ReadContext, request: FastifyRequest, reply: FastifyReply): void {
  const body = request.body as SingleBody;
  const { plan, fields } = context.planOf(request.query as Query, body.features);
  const key = keyOfEntity(context.view, body.entity_key, 'entity_key');
  const keyJson = JSON.stringify(body.entity_key);
  const json = takeJson();
  let status = 200;
  let problem: ServerProblem | null = null;
  start(context, reply, json, [key], fields, {
    entity: (_index, bytes, spans, count) => {
      putEntity(json, plan, keyJson, bytes, spans, count);
      if (count === 0) status = 404;
    },
    refused: (_index, why) => {
      problem = problemOf(REFUSALS[why]);
    },
    done: () => {
      if (problem === null) return send(reply, status, json);
      giveJson(json);
      reply.send(problem);
    },
  });
}

/** Throws ServerProblem for what can be said at once. */
export function readBatch(context: ReadContext, request: FastifyRequest, reply: FastifyReply): void {
  const startedAt = performance.now();
  const body = request.body as BatchBody;
  const entities = body.entity_keys;
  const { plan, fields } = context.planOf(request.query as Query, body.features);
  const keys = entities.map((entity, i) => keyOfEntity(context.view, entity, `entity_keys[${i}]`));
  const missing: EntityKey[] = [];
  const json = takeJson();
  putText(json, '{"results":[');
  const next = (index: number): string => {
    if (index > 0) putText(json, ',');
    return JSON.stringify(entities[index]);
  };
  start(context, reply, json, keys, fields, {
    entity: (index, bytes, spans, count) => {
      putEntity(json, plan, next(index), bytes, spans, count);
      if (count === 0) missing.push(entities[index] as EntityKey);
    },
    refused: (index, why) => {
      putRefused(json, next(index), REFUSALS[why][1]);
      missing.push(entities[index] as EntityKey);
    },
    done: () => {
      const latency = Math.round((performance.now() - startedAt) * 1000) / 1000;
      putText(json, `],"missing":${JSON.stringify(missing)},"latency_ms":${latency}}`);
      send(reply, 200, json);
    },
  });
}

function start(
  { reader, gate }: ReadContext,
  reply: FastifyReply,
  json: JsonBytes,
  keys: readonly string[],
  fields: readonly string[] | null,
  taker: Omit<EntityTaker, 'failed'>,
): void {
  const failed = (why: 'away' | 'busy' | 'denied'): void => {
    giveJson(json);
    const [code, message] = FAILURES[why];
    reply.send(problemOf([code, (why === 'denied' ? reader.refusal() : null) ?? message]));
  };
  if (!gate.enter()) return failed('busy');
  reader.read(keys, fields, {
    // One by one: a spread costs a seventh of a single read's CPU (docs/performance.md).
    entity: taker.entity,
    refused: taker.refused,
    done: () => {
      gate.leave();
      taker.done();
    },
    failed: (why) => {
      gate.leave();
      failed(why);
    },
  });
}

function problemOf([code, message]: readonly [ProblemCode, string]): ServerProblem {
  return new ServerProblem(code, message);
}
