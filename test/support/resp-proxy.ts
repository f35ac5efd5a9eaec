/** A TCP proxy before a Redis that cuts connections at chosen bytes, passes bytes in pieces, or holds them. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type Direction = 'request' | 'reply';

/** The connection that carries byte `at` (from 0, counted since `arm`) ends right before that byte. */
export interface Cut {
  readonly direction: Direction;
  readonly at: number;
}

export interface RespProxy {
  readonly url: string;
  /** Starts counting anew; these cuts are made in their order for each direction, one connection each. */
  arm(cuts: readonly Cut[]): void;
  /** Bytes passed since `arm`. */
  passed(direction: Direction): number;
  /** Cuts that were made since `arm`. */
  made(): number;
  /** How often requests were sent behind replies, or as the first, since `arm`: what is asked together is one turn. */
  turns(): number;
  /** Keeps what the connections of now still send, even when the client has closed them. */
  hold(): void;
  /** Sends the server what was held. */
  release(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  held: Buffer[] | null;
}

/** `pieceBytes`: every read is passed on in pieces of so many bytes, each in a turn of the event loop of its own. */
export async function startProxy(targetPort: number, pieceBytes = Infinity): Promise<RespProxy> {
  const pairs = new Set<Pair>();
  const count = { request: 0, reply: 0 };
  let cuts: Cut[] = [];
  let made = 0;
  let turns = 0;
  let before: Direction = 'reply';

  /** Passes on what comes before the next cut; ends the pair there. */
  function pass(pair: Pair, direction: Direction, data: Buffer): void {
    const to = direction === 'request' ? pair.server : pair.client;
    if (to.destroyed || to.writableEnded) return;
    if (direction === 'request' && before === 'reply') turns += 1;
    before = direction;
    const next = cuts.find((cut) => cut.direction === direction);
    const left = next ? next.at - count[direction] : Infinity;
    if (next && data.length > left) {
      cuts = cuts.filter((cut) => cut !== next);
      made += 1;
      count[direction] += Math.max(left, 0);
      return end(pair, to, data.subarray(0, Math.max(left, 0)));
    }
    count[direction] += data.length;
    to.write(data);
  }

  function forward(pair: Pair, direction: Direction, from: Socket): void {
    let chain = Promise.resolve();
    from.on('data', (data: Buffer) => {
      if (direction === 'request' && pair.held) return void pair.held.push(data);
      if (pieceBytes === Infinity) return pass(pair, direction, data);
      chain = chain.then(async () => {
        for (let at = 0; at < data.length; at += pieceBytes) {
          pass(pair, direction, data.subarray(at, at + pieceBytes));
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    });
  }

  const listener = createServer((client) => {
    const server = connect(targetPort, '127.0.0.1');
    const pair: Pair = { client, server, held: null };
    pairs.add(pair);
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => {});
    forward(pair, 'request', client);
    forward(pair, 'reply', server);
    client.on('close', () => {
      if (!pair.held) server.destroy();
    });
    server.on('close', () => {
      client.destroy();
      pairs.delete(pair);
    });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${port}`,
    arm: (planned) => {
      cuts = [...planned];
      count.request = 0;
      count.reply = 0;
      made = 0;
      turns = 0;
    },
    passed: (direction) => count[direction],
    made: () => made,
    turns: () => turns,
    hold: () => {
      for (const pair of pairs) pair.held = [];
    },
    release: () => {
      for (const pair of pairs) {
        const held = pair.held ?? [];
        pair.held = null;
        if (!pair.server.destroyed) pair.server.end(Buffer.concat(held));
      }
    },
    close: async () => {
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      listener.close();
    },
  };
}

/** The last bytes still go out to `to`; the other side ends at once. */
function end({ client, server }: Pair, to: Socket, last: Buffer): void {
  const other = to === client ? server : client;
  other.destroy();
  to.end(last, () => to.destroy());
}
