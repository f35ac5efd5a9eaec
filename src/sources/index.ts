export { splitRecord } from './csv-cells.ts';
export type { TextEncoding } from './encoding.ts';
export { expandSources } from './location.ts';
export type { MappedColumns } from './ndjson-source.ts';
export { type OpenOptions, openSource, remoteState } from './open.ts';
export type { ExpandOptions, SourceLocation } from './source-location.ts';
