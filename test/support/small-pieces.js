/** The built program, whose encoding threads take pieces of some hundred bytes, so that small files have many. */
import { runCli } from '../../dist/cli/program.js';
import { ingestCommand } from '../../dist/commands/ingest.js';

const PIECE_BYTES = 3000;

/** As src/main.ts, of which only this much matters here. `io` as for `runCli`. */
export async function runInPieces(argv, io, pieceBytes = PIECE_BYTES) {
  const ingest = (options, inner) =>
    ingestCommand({ ...options, workers: { ...options.workers, pieceBytes } }, inner);
  try {
    return await runCli(argv, io, { ingest, get: async () => 2 });
  } catch (error) {
    io.stderr.write(`featurectl: ${error.message} [${error.code}]\n`);
    return error.exitCode ?? 5;
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(130));
  const { stdout, stderr, env } = process;
  const io = { stdout, stderr, env, signal: interrupt.signal };
  process.exitCode = await runInPieces(process.argv.slice(2), io);
}
