#!/usr/bin/env node
// The compiled program. `npm run build` makes dist/.
import { existsSync } from 'node:fs';

if (existsSync(new URL('../dist/main.js', import.meta.url))) {
  const { main } = await import('../dist/main.js');
  await main(process);
} else {
  process.stderr.write('featurectl: expected dist/, found none: run npm ci && npm run build first\n');
  process.exitCode = 2;
}
