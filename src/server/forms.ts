/** JSON Schemas of bodies, queries and answers: they validate requests and are what /docs shows. */
import type { View } from './view.ts';

type Form = Readonly<Record<string, unknown>>;

const PART: Form = {
  type: ['string', 'integer'],
  minLength: 1,
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
};

/** A composite entity: an object of its parts, an array of them in order, or their text joined by commas. */
function entityForm({ parts }: View): Form {
  if (parts.length === 1) return { ...PART, description: `the ${parts[0]}` };
  return {
    type: ['object', 'array', 'string'],
    description: `{${parts.join(', ')}}, [${parts.join(', ')}] or "${parts.join(',')}"`,
    properties: Object.fromEntries(parts.map((name) => [name, PART])),
    required: parts,
    additionalProperties: false,
    items: PART,
    minItems: parts.length,
    maxItems: parts.length,
    minLength: 1,
  };
}

function selectionForm({ features }: View): Form {
  return {
    type: 'array',
    description: 'only these features; null where nothing is stored',
    items: { type: 'string', enum: features.map(({ name }) => name) },
    minItems: 1,
    maxItems: features.length,
    uniqueItems: true,
  };
}

export function singleForm(view: View): Form {
  return bodyForm(view, 'entity_key', entityForm(view));
}

export function batchForm(view: View, maxBatch: number): Form {
  return bodyForm(view, 'entity_keys', { type: 'array', items: entityForm(view), maxItems: maxBatch });
}

function bodyForm(view: View, field: string, form: Form): Form {
  return {
    type: 'object',
    required: [field],
    additionalProperties: false,
    properties: { [field]: form, features: selectionForm(view) },
  };
}

export const QUERY_FORM: Form = {
  type: 'object',
  additionalProperties: false,
  properties: {
    typed: { type: 'string', enum: ['true', 'false'], description: 'JSON types instead of text as stored' },
    vectors: { type: 'string', enum: ['array', 'base64'], description: 'how packed vectors are shown' },
  },
};

export function entityAnswer(view: View): Form {
  return {
    type: 'object',
    required: ['entity_key', 'features', 'found'],
    properties: {
      entity_key: { description: 'as it was asked for' },
      features: {
        type: 'object',
        properties: Object.fromEntries(view.features.map(({ name, type }) => [name, { description: type }])),
      },
      found: { type: 'boolean' },
      ...(view.eventTime === null
        ? {}
        : {
            age_seconds: { type: ['number', 'null'], description: 'since the event time' },
            stale: { type: ['boolean', 'null'], description: 'older than the view allows' },
          }),
      error: { type: 'string', description: 'in a batch: why this entity cannot be read' },
    },
  };
}

export function batchAnswer(view: View): Form {
  return {
    type: 'object',
    required: ['results', 'missing', 'latency_ms'],
    properties: {
      results: { type: 'array', items: entityAnswer(view), description: 'in the order of entity_keys' },
      missing: { type: 'array', items: {}, description: 'entity keys that were not found' },
      latency_ms: { type: 'number' },
    },
  };
}

export const PROBLEM_ANSWER: Form = {
  type: 'object',
  required: ['code', 'message'],
  properties: { code: { type: 'string' }, message: { type: 'string' }, field: { type: 'string' } },
};

export const HEALTH_ANSWER: Form = {
  type: 'object',
  required: ['status', 'redis'],
  properties: {
    status: { type: 'string', enum: ['ok', 'unavailable'] },
    redis: { type: 'string', enum: ['connected', 'disconnected', 'refused'] },
    reason: { type: 'string', description: 'the right that is missing' },
  },
};
