/** The HTTP application: routes, checks and what every problem looks like. */
import { isUtf8 } from 'node:buffer';
import swagger from '@fastify/swagger';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  fastify,
  type onRequestHookHandler,
} from 'fastify';
import type { FeatureReader } from '../core/feature-reader.ts';
import { answerClientError } from './client-error.ts';
import { docsPage, type OpenApi } from './docs-page.ts';
import { batchAnswer, batchForm, entityAnswer, PROBLEM_ANSWER, QUERY_FORM, singleForm } from './forms.ts';
import { addHealth } from './health.ts';
import { createMetrics, joinWorkers, type Observe, type ServerMetrics } from './metrics.ts';
import { createPlanner } from './plans.ts';
import { PROBLEMS, problemBody, retryAfter, ServerProblem } from './problems.ts';
import { type Gate, type ReadContext, readBatch, readSingle } from './reads.ts';
import { problemOfError, shown } from './request-problem.ts';
import type { TokenCheck } from './token.ts';
import type { View } from './view.ts';

export interface AppOptions {
  /** One or more, of different names; /features is the first one's. */
  readonly views: readonly View[];
  readonly reader: FeatureReader;
  readonly version: string;
  /** Whether values have JSON types where a request does not say. */
  readonly typed: boolean;
  /** Bytes of a request's body. */
  readonly bodyLimit: number;
  /** Entities of one batch. */
  readonly maxBatch: number;
  /** Requests that wait for Redis at once. */
  readonly maxInFlight: number;
  /** Milliseconds in which a request must have arrived. */
  readonly requestTimeoutMs: number;
  readonly tokens: TokenCheck | null;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** The text of /metrics where this process is one of several; null: its own. */
  readonly collectMetrics: (() => Promise<string>) | null;
  /** Told of bugs; never a value of a request. */
  readonly tell: (message: string) => void;
}

const MAX_HEADER_BYTES = 8 * 1024;
/** Connections beyond it are refused. */
const MAX_CONNECTIONS = 4096;
/** Longest path; names of views are short. */
const MAX_PARAM = 200;
/** A connection on which nothing moves for so long is closed, also one that does not read its answer. */
const IDLE_MS = 60_000;

export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app = fastify(serverOptions(options)) as FastifyInstance;
  app.server.maxConnections = MAX_CONNECTIONS;
  const gate = createGate(options.maxInFlight);
  const metrics = createMetrics(() => options.reader.isReady(), gate.inside);
  if (options.collectMetrics !== null) joinWorkers(metrics.registry);
  addJsonBodies(app);
  addProblems(app, options, metrics.observer('any', 'none'));
  addTokens(app, options.tokens);
  addCounts(app, metrics);
  await app.register(swagger, { openapi: openApi(options) });
  await app.register(async (inner) => {
    for (const [i, view] of options.views.entries()) addView(inner, options, view, gate, i === 0);
    addHealth(inner, options.reader);
    inner.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
      reply.type(metrics.registry.contentType);
      return options.collectMetrics?.() ?? metrics.registry.metrics();
    });
    addDocs(inner);
  });
  await app.ready();
  return app;
}

/** `http` and `https` are options of fastify whose types stand with one kind of server each. */
function serverOptions(options: AppOptions): FastifyServerOptions {
  const limits = {
    // Slow requests are looked for in this interval; Node's own is half a minute.
    connectionsCheckingInterval: 500,
    headersTimeout: options.requestTimeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const made: FastifyServerOptions & { readonly http?: object; readonly https?: object } = {
    ...(options.tls === null ? { http: limits } : { https: { ...limits, ...options.tls } }),
    logger: false,
    bodyLimit: options.bodyLimit,
    requestTimeout: options.requestTimeoutMs,
    connectionTimeout: IDLE_MS,
    keepAliveTimeout: IDLE_MS,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM },
    clientErrorHandler: answerClientError,
    frameworkErrors: (_error, _request, reply) => {
      sendProblem(reply, new ServerProblem('BAD_REQUEST', 'expected a path that can be decoded'));
    },
    ajv: {
      // A body is right or wrong; it is never made right.
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allowUnionTypes: true,
      },
    },
  };
  return made;
}

function createGate(max: number): Gate & { inside(): number } {
  let inside = 0;
  return {
    enter: () => {
      if (inside >= max) return false;
      inside += 1;
      return true;
    },
    leave: () => {
      inside -= 1;
    },
    inside: () => inside,
  };
}

/** A body is checked as UTF-8 before it is text, and a field named __proto__ is one like any other. */
function addJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    const bytes = body as Buffer;
    if (!isUtf8(bytes)) return done(new ServerProblem('INVALID', 'body: expected UTF-8', 'body'));
    try {
      done(null, JSON.parse(bytes.toString()));
    } catch {
      done(new ServerProblem('INVALID', 'body: expected JSON', 'body'));
    }
  });
}

function addProblems(app: FastifyInstance, { tell, views, tokens }: AppOptions, observe: Observe): void {
  app.setErrorHandler((error: FastifyError | ServerProblem, request, reply) => {
    const problem = problemOfError(error, request);
    if (problem.code === 'INTERNAL') {
      tell(`a bug in featurectl, at ${request.method} ${request.routeOptions.url}: ${error.stack ?? error}`);
    }
    sendProblem(reply, problem);
  });
  const methods = new Map<string, string[]>();
  app.addHook('onRoute', ({ url, method }) => {
    methods.set(url, [...(methods.get(url) ?? []), ...[method].flat()]);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/\?.*$/s, '');
    const allowed = methods.get(path);
    if (allowed !== undefined) reply.header('allow', allowed.join(', '));
    // Who has no token is not told the names of views.
    const mayKnow = tokens === null || tokens.allows(request.headers.authorization);
    const problem =
      allowed === undefined ? noSuchPath(path, mayKnow ? views : []) : noSuchMethod(request.method, allowed);
    observe(PROBLEMS[problem.code].status, reply.elapsedTime / 1000);
    sendProblem(reply, problem);
  });
}

function noSuchMethod(method: string, allowed: readonly string[]): ServerProblem {
  return new ServerProblem('METHOD', `expected ${allowed.join(' or ')} for this path, found ${method}`);
}

/** Names of views that are told; /docs has all of them. */
const MAX_NAMED = 20;

function noSuchPath(path: string, views: readonly View[]): ServerProblem {
  const name = /^\/views\/([^/]*)/.exec(path)?.[1];
  if (name === undefined || views.length === 0 || views.some((view) => view.name === name)) {
    return new ServerProblem('NOT_FOUND', 'no such path; GET /docs lists them');
  }
  const names = views.slice(0, MAX_NAMED).map((view) => view.name);
  const more = views.length > MAX_NAMED ? ' and others (GET /docs)' : '';
  const text = `expected a view of this server (${names.join(', ')}${more}), found ${shown(name)}`;
  return new ServerProblem('NOT_FOUND', text);
}

function sendProblem(reply: FastifyReply, problem: ServerProblem): void {
  const wait = retryAfter(problem.code);
  if (wait !== null) reply.header('retry-after', wait);
  if (problem.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer');
  // What is left of a body that is too long is not read.
  if (problem.code === 'TOO_LARGE') reply.header('connection', 'close');
  // fastify would close the connection after any body that is wrong; one that was read whole need not end it.
  if (problem.code === 'INVALID') reply.removeHeader('connection');
  reply.code(PROBLEMS[problem.code].status).send(problemBody(problem));
}

/** Health is for probes, which have no token. */
function addTokens(app: FastifyInstance, tokens: TokenCheck | null): void {
  if (tokens === null) return;
  const check: onRequestHookHandler = (request, _reply, done) => {
    if (tokens.allows(request.headers.authorization)) return done();
    const what = 'expected Authorization: Bearer TOKEN with a token of the token file';
    done(new ServerProblem('UNAUTHORIZED', what));
  };
  // By route, not by the path of a request: that may be written in more than one way.
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/health')) route.onRequest = check;
  });
}

/** Each route has a hook of its own, since asking a request for its route makes an object. */
function addCounts(app: FastifyInstance, metrics: ServerMetrics): void {
  app.addHook('onRoute', (route) => {
    const observe = metrics.observer(String(route.method), route.url);
    route.onResponse = (_request, reply, done) => {
      observe(reply.statusCode, reply.elapsedTime / 1000);
      done();
    };
  });
}

function addView(app: FastifyInstance, options: AppOptions, view: View, gate: Gate, isFirst: boolean): void {
  const planOf = createPlanner(view, options.typed);
  const context: ReadContext = { view, reader: options.reader, planOf, gate };
  const answers = {
    404: 'no such entity',
    422: 'a field is missing or wrong',
    503: 'Redis is away, or too much at once',
  };
  const add = (
    path: string,
    summary: string,
    body: object,
    answer: object,
    read: typeof readSingle,
  ): void => {
    const response = {
      200: { description: 'read', ...answer },
      ...Object.fromEntries(
        Object.entries(answers).map(([status, description]) => [status, { description, ...PROBLEM_ANSWER }]),
      ),
      ...(read === readSingle ? { 404: { description: answers[404], ...answer } } : {}),
    };
    app.post(
      path,
      { schema: { summary, body, querystring: QUERY_FORM, response } },
      (request: FastifyRequest, reply) => read(context, request, reply),
    );
  };
  const single = singleForm(view);
  const batch = batchForm(view, options.maxBatch);
  for (const path of isFirst ? ['', `/views/${view.name}`] : [`/views/${view.name}`]) {
    add(`${path}/features`, `Features of one entity of ${view.name}`, single, entityAnswer(view), readSingle);
    add(
      `${path}/features/batch`,
      `Features of entities of ${view.name}`,
      batch,
      batchAnswer(view),
      readBatch,
    );
  }
}

function openApi({ version, tokens }: AppOptions): object {
  const security = tokens === null ? {} : { security: [{ bearer: [] }] };
  return {
    openapi: '3.1.0',
    info: { title: 'featurectl serve', version, description: 'Features of entities, read from Redis.' },
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    ...security,
  };
}

function addDocs(app: FastifyInstance): void {
  app.get('/docs/json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/html; charset=utf-8');
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    return docsPage(app.swagger() as OpenApi);
  });
}
