/** Liveness (this process answers) and readiness (Redis answers too), apart. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { FeatureReader } from '../core/feature-reader.ts';
import { HEALTH_ANSWER } from './forms.ts';

export function addHealth(app: FastifyInstance, reader: FeatureReader): void {
  const ready = (reply: FastifyReply): void => {
    const isReady = reader.isReady();
    const reason = reader.refusal();
    if (!isReady) reply.header('retry-after', '1');
    reply.code(isReady ? 200 : 503).send({
      status: isReady ? 'ok' : 'unavailable',
      redis: isReady ? 'connected' : reason === null ? 'disconnected' : 'refused',
      ...(reason === null ? {} : { reason }),
    });
  };
  const response = {
    200: { description: 'Redis answers', ...HEALTH_ANSWER },
    503: { description: 'Redis does not answer, or refuses this server', ...HEALTH_ANSWER },
  };
  for (const path of ['/health', '/health/ready']) {
    app.get(
      path,
      { schema: { summary: 'Whether entities can be read', response, security: [] } },
      (_request, reply) => ready(reply),
    );
  }
  const live = {
    200: { description: 'the process answers', type: 'object', properties: { status: { type: 'string' } } },
  };
  app.get(
    '/health/live',
    { schema: { summary: 'Whether the server runs', response: live, security: [] } },
    (_request, reply) => reply.send({ status: 'ok' }),
  );
}
