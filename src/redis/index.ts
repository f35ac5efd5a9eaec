export { type Connection, type ConnectOptions, connect, createOpener, type Opener } from './connect.ts';
export { createEntitySource, type EntitySourceOptions } from './entity-source.ts';
export { openEntitySource } from './open-source.ts';
export { createPairReader } from './pair-reader.ts';
export { createReader } from './reader.ts';
export { scanKeys } from './scan.ts';
export type { WriterOptions } from './set-up.ts';
export { createWriter } from './writer.ts';
