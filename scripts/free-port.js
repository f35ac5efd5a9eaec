/** Ports for servers that are started for a test, a bench or the demo. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what the kernel gives to outgoing connections, any of which could take a port between choice and use. */
const FIRST = 10_240;
const END = 32_768;

const given = new Set();

/** A TCP port of 127.0.0.1 that nobody listened on a moment ago, and that this process has not been given before. */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (END - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port) {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
