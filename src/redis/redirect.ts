/** Redirections of a Redis Cluster: "MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381". */

export interface Redirect {
  readonly kind: 'moved' | 'ask';
  readonly slot: number;
  /** host:port of the node that has the slot. */
  readonly node: string;
}

/** `asked`: host:port of who said it; an empty host in the text means that one. Null: another text. */
export function parseRedirect(text: string, asked: string): Redirect | null {
  const match = /^-?(MOVED|ASK) (\d+) (\S*):(\d+)/.exec(text);
  if (!match) return null;
  const [, word, slot, host, port] = match;
  return { kind: word === 'ASK' ? 'ask' : 'moved', slot: Number(slot), node: nodeName(host, port, asked) };
}

/** host:port; the host of `asked` where the server does not tell one. */
export function nodeName(host: unknown, port: unknown, asked: string): string {
  const isTold = typeof host === 'string' && host !== '' && host !== '?';
  return `${isTold ? host : hostOf(asked)}:${port}`;
}

/** An IPv6 address holds colons itself: the last one stands before the port. */
export function hostOf(node: string): string {
  return node.slice(0, node.lastIndexOf(':'));
}

export function portOf(node: string): number {
  return Number(node.slice(node.lastIndexOf(':') + 1));
}
