/** Synchronous work that foreign bytes steer, ended where it takes too long. */
import { type Context, createContext, Script } from 'node:vm';

/** Made when first needed: a context takes a millisecond. */
let context: Context | null = null;
const CALL = new Script('work()');

/** What the work throws, or an error where it takes longer than `ms`. Costs a tenth of a millisecond. */
export function inDeadline(ms: number, work: () => void): void {
  context ??= createContext({});
  context.work = work;
  try {
    CALL.runInContext(context, { timeout: ms });
  } finally {
    context.work = null;
  }
}
