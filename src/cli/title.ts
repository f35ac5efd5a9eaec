/** What `ps` shows of the program. */
import { maskSecrets } from '../commands/show-config.ts';

/** The command line with its passwords masked; null where it holds none. */
export function maskedTitle(argv: readonly string[]): string | null {
  const shown = argv.map((word) => maskSecrets('', word));
  return shown.some((word, i) => word !== argv[i]) ? ['featurectl', ...shown].join(' ') : null;
}
