/** On its own, so that --version loads no grammar. */
export { packageVersion } from '../commands/version.ts';
