/** A redis-server for benches: on this machine only, nothing persisted. */
export function redisArgs(port, dir) {
  const bare = ['--save', '', '--appendonly', 'no'];
  return ['--port', String(port), '--bind', '127.0.0.1', ...bare, '--dir', dir];
}
