export { type Connection, type ConnectOptions, connect } from './connect.ts';
export { createReader } from './reader.ts';
export { createWriter, type WriterOptions } from './writer.ts';
