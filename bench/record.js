/** Keeps the bytes that a client sends to a Redis, for feeding them to redis-cli --pipe. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { finished, pipeline } from 'node:stream/promises';

/** Runs `command(port)` against a proxy to `redisPort`; `path` then holds the script calls that it sent. */
export async function recordCalls(command, redisPort, path) {
  const all = `${path}.all`;
  const out = createWriteStream(all);
  const proxy = createServer((client) => {
    const server = connect(redisPort);
    client.on('data', (bytes) => out.write(bytes));
    client.pipe(server);
    server.pipe(client);
    for (const socket of [client, server]) socket.on('error', () => {});
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const [program, ...args] = command(proxy.address().port);
  const [code] = await once(spawn(program, args, { stdio: 'inherit' }), 'exit');
  proxy.close();
  out.end();
  await finished(out);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}`);
  await pipeline(createReadStream(all, { start: await firstCall(all) }), createWriteStream(path));
  rmSync(all);
}

/** Where the first call with keys begins: what stands before it (probe, script) is asked once a run. */
async function firstCall(path) {
  for await (const head of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const match = /\*\d+\r\n\$7\r\nEVALSHA\r\n\$40\r\n\w+\r\n\$\d+\r\n[1-9]/.exec(head.toString('latin1'));
    if (match) return match.index;
  }
  throw new Error('no EVALSHA with keys was sent');
}
