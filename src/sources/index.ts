export type { TextEncoding } from './encoding.ts';
export { type ExpandOptions, expandSources, type SourceLocation } from './location.ts';
export type { MappedColumns } from './ndjson-source.ts';
export { type OpenOptions, openSource } from './open.ts';
