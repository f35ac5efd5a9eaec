export { type Connection, type ConnectOptions, connect } from './connect.ts';
export { createReader } from './reader.ts';
export type { WriterOptions } from './set-up.ts';
export { createWriter } from './writer.ts';
