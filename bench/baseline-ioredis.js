/** What people write in Node today: csv-parse and ioredis pipelines of 1000 rows. Arguments: file, port. */
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { Redis } from 'ioredis';

const [file, port] = process.argv.slice(2);
const redis = new Redis(Number(port));
let pipeline = redis.pipeline();
let rows = 0;
for await (const row of createReadStream(file).pipe(parse({ columns: true, bom: true }))) {
  const { user_id: id, ...features } = row;
  const key = `features:user:${id}`;
  pipeline.hset(key, features);
  pipeline.expire(key, 86_400);
  rows += 1;
  if (rows % 1000 === 0) {
    await pipeline.exec();
    pipeline = redis.pipeline();
  }
}
await pipeline.exec();
redis.disconnect();
