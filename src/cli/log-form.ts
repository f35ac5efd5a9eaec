/** Whether messages are to be JSON lines, before the options are known for good. */

/** A flag counts before the environment. */
export function wantsJsonLog(argv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return (givenValue(argv, '--log') ?? env.FEATURECTL_LOG) === 'json';
}

/** As `wantsJsonLog`, and where neither says anything, what the file of options does. */
export async function wantsJsonErrors(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  commands: readonly string[],
): Promise<boolean> {
  const form = givenValue(argv, '--log') ?? (env.FEATURECTL_LOG || null);
  if (form !== null) return form === 'json';
  const { readEntry } = await import('./config-file.ts');
  const file = givenValue(argv, '--config') ?? (env.FEATURECTL_CONFIG || null);
  const command = argv.find((word) => commands.includes(word)) ?? null;
  return (await readEntry(file, commands, command, 'log')) === 'json';
}

/** The last one counts; null: it is not given. */
function givenValue(argv: readonly string[], flag: string): string | null {
  const end = argv.indexOf('--');
  const flags = argv.slice(0, end === -1 ? argv.length : end);
  const last = flags.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (last === -1) return null;
  return flags[last] === flag ? (flags[last + 1] ?? '') : (flags[last]?.slice(flag.length + 1) ?? '');
}
