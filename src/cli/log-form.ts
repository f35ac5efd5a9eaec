/** Whether messages are to be JSON lines, before the options are known for good. */

/** A flag counts before the environment. */
export function wantsJsonLog(argv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const end = argv.indexOf('--');
  const flags = argv.slice(0, end === -1 ? argv.length : end);
  const last = flags.findLastIndex((word) => word === '--log' || word.startsWith('--log='));
  if (last === -1) return env.FEATURECTL_LOG === 'json';
  return flags[last] === '--log' ? flags[last + 1] === 'json' : flags[last] === '--log=json';
}
