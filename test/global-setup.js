/** Tests that start the program as a user does need dist/; `npm test` has built it, a bare vitest may not have. */
export { ensureBuild as setup } from '../scripts/lib.js';
