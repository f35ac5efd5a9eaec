/** What people write in Node today: fastify and ioredis. Arguments: port, redis port. */
import { fastify } from 'fastify';
import { Redis } from 'ioredis';

const [port, redisPort] = process.argv.slice(2).map(Number);
const redis = new Redis(redisPort);
const app = fastify();

app.post('/features', async (request, reply) => {
  const { entity_key } = request.body;
  const features = await redis.hgetall(`features:user:${entity_key}`);
  if (Object.keys(features).length === 0) return reply.code(404).send({ entity_key, features, found: false });
  return { entity_key, features, found: true };
});

app.post('/features/batch', async (request) => {
  const started = performance.now();
  const keys = request.body.entity_keys;
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(`features:user:${key}`);
  const results = (await pipeline.exec()).map(([, features], i) => ({
    entity_key: keys[i],
    features,
    found: Object.keys(features).length > 0,
  }));
  const missing = results.filter(({ found }) => !found).map(({ entity_key }) => entity_key);
  return { results, missing, latency_ms: performance.now() - started };
});

app.get('/health', async () => ({ status: 'ok', redis: await redis.ping() }));

await app.listen({ host: '127.0.0.1', port });
