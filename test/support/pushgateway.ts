/** What a Prometheus Pushgateway does with a POST: replaces metrics of the same name in the group, keeps the others. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export interface TestGateway {
  readonly url: string;
  /** Metrics by group path, each the lines of one metric. */
  readonly groups: Map<string, Map<string, string[]>>;
  readonly authorizations: (string | undefined)[];
  /** What the next pushes are answered; `hang` never answers. */
  answer: number | 'hang';
  close(): Promise<void>;
}

export async function startGateway(): Promise<TestGateway> {
  const groups: TestGateway['groups'] = new Map();
  const authorizations: TestGateway['authorizations'] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    authorizations.push(request.headers.authorization);
    if (gateway.answer === 'hang') return;
    const path = decodeURIComponent(request.url ?? '');
    const isPush = request.method === 'POST' && /^\/metrics\/job\/[^/]+(\/[^/]+\/[^/]+)*$/.test(path);
    const status = isPush ? gateway.answer : 404;
    if (status === 200) add(groups, path.replace('/metrics/', ''), body);
    response.writeHead(status).end(status === 200 ? '' : 'refused');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const gateway: TestGateway = {
    url: `http://127.0.0.1:${address.port}`,
    groups,
    authorizations,
    answer: 200,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return gateway;
}

function add(groups: TestGateway['groups'], path: string, body: string): void {
  const group = groups.get(path) ?? new Map<string, string[]>();
  groups.set(path, group);
  const fresh = new Map<string, string[]>();
  for (const line of body.split('\n')) {
    const name = /^([a-z_]+)(?:\{| )/.exec(line)?.[1];
    if (name !== undefined) fresh.set(name, [...(fresh.get(name) ?? []), line]);
  }
  for (const [name, lines] of fresh) group.set(name, lines);
}
