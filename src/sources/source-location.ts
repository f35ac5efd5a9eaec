import type { SourceFormat } from '../core/types.ts';

/** One source to open: a file, a remote object, or standard input. */
export interface SourceLocation {
  readonly kind: 'file' | 'stdin' | 'http' | 's3';
  /** As a user would write it, without secrets; `-` for standard input. */
  readonly name: string;
  /** Path or URL to open; empty for standard input. */
  readonly path: string;
}

/** What reaching a remote source needs. */
export interface RemoteSettings {
  /** Ends the reading; what waits for a row then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long a remote source may give nothing before the run is given up; default 60,000 ms. */
  readonly retryForMs?: number;
  /** Told of an outage of a remote source, in words. */
  readonly retrying?: (message: string) => void;
  /** Where credentials and addresses of s3:// and gs:// come from; default: the process's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface ExpandOptions extends RemoteSettings {
  /** Given: a directory's files are taken whatever their extension. */
  readonly format?: SourceFormat;
  /** Directory that relative paths start from; default: the process's. */
  readonly cwd?: string;
  /** Told of files in a directory, or objects below a prefix, that are not taken, in words. */
  readonly passedOver?: (message: string) => void;
}

/** Names that are shown of many. */
const SHOWN = 3;

/** What `passedOver` is told. `names`: at least one. */
export function passedOverText(place: string, names: readonly string[]): string {
  const shown = [...names].sort().slice(0, SHOWN).join(', ');
  const more = names.length > SHOWN ? ', …' : '';
  const [are, their] =
    names.length === 1 ? ['1 file is', 'its name ends'] : [`${names.length} files are`, 'their names end'];
  return `${place}: ${are} not read, since ${their} in no known kind: ${shown}${more}; name what is data, or give --format`;
}
