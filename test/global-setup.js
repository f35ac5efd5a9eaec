/**
 * Tests that start the program as a user does need dist/; `npm test` has built it, a bare vitest may not
 * have. Where it does not compile only those tests fail.
 */
import { ensureBuild } from '../scripts/lib.js';

export function setup() {
  try {
    ensureBuild();
  } catch (error) {
    console.error(String(error));
  }
}
