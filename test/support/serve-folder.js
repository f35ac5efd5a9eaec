// Serves the files of a folder over HTTP, in a process of its own, for tests that wait for the program. Prints its port.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';

const server = createServer((request, response) => {
  try {
    const body = readFileSync(join(folder, decodeURIComponent((request.url ?? '').split('?')[0] ?? '')));
    response.writeHead(200, { 'content-length': body.length, etag: `"${body.length}"` }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
