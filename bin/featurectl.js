#!/usr/bin/env node
// The compiled program. `npm run build` makes dist/.
import { main } from '../dist/main.js';

await main(process);
