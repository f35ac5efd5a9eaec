export { type Connection, type ConnectOptions, connect, createOpener, type Opener } from './connect.ts';
export { openReader, readerOver } from './open-reader.ts';
export { createPairReader } from './pair-reader.ts';
export { scanKeys } from './scan.ts';
export { createServerReader, type ReaderOptions } from './server-reader.ts';
export type { WriterOptions } from './set-up.ts';
export { createWriter } from './writer.ts';
