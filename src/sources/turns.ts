/** Longest time, in milliseconds, that decoding keeps signals and timers waiting beyond a batch. */
const TURN_MS = 20;

/**
 * The batches as they are. Between them whatever else waits has its turn: rows that take hardly a byte, such as a run of
 * two billion nulls, never wait for a file, and a load that waits for nothing would be deaf to signals. Throws the
 * reason of `signal`.
 */
export async function* inTurns<Batch>(
  batches: AsyncIterable<Batch>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Batch, void, undefined> {
  let since = performance.now();
  for await (const batch of batches) {
    yield batch;
    if (performance.now() - since < TURN_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    since = performance.now();
  }
}
