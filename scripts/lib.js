/** What demo, test and check need set up on a fresh machine. Plain Node: it runs before any package is there. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const OLDEST_NODE = 20;

/** A condition that the user must mend; its message is all that is shown. */
export class SetupError extends Error {}

/** Runs `main` and sets the exit code: its return value, or 1 with the message of a SetupError. */
export async function runScript(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}

/** Packages, a redis-server and a built dist/; each only where it is missing or out of date. */
export function setUp() {
  setUpTools();
  ensureBuild();
}

/** The same without the build. */
export function setUpTools() {
  checkNode();
  ensurePackages();
  ensureRedisServer();
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= OLDEST_NODE) return;
  throw new SetupError(`Node ${OLDEST_NODE} or later is needed, this is ${process.version}`);
}

/** `npm ci` where node_modules is missing or older than package-lock.json. */
export function ensurePackages() {
  const installed = modifiedAt(join(ROOT, 'node_modules/.package-lock.json'));
  if (installed >= modifiedAt(join(ROOT, 'package-lock.json'))) return;
  say('installing packages (npm ci)');
  if (succeeds('npm', ['ci', '--no-audit', '--no-fund'])) return;
  throw new SetupError('the packages could not be installed: `npm ci` did not succeed, see above');
}

/** Builds where dist/ is missing or older than the newest source. */
export function ensureBuild() {
  const newest = Math.max(
    newestIn(join(ROOT, 'src')),
    ...['package.json', 'scripts/build.js'].map((name) => modifiedAt(join(ROOT, name))),
  );
  if (modifiedAt(join(ROOT, 'dist/main.js')) >= newest) return;
  say('building (npm run build)');
  if (succeeds('npm', ['run', '--silent', 'build'])) return;
  throw new SetupError('the build failed: `npm run build` did not succeed, see above');
}

/**
 * Sees to it that `redis-server` is on the PATH of this process and its children. REDIS_SERVER may name
 * another one. Where there is none, the system's package manager installs it if this user may do that.
 */
export function ensureRedisServer() {
  const named = process.env.REDIS_SERVER;
  if (named) return useNamed(named);
  if (onPath('redis-server')) return;
  const installer = INSTALLERS.find(({ tool }) => onPath(tool));
  const prefix = installer ? rightsPrefix(installer) : null;
  if (!installer || prefix === null) throw new SetupError(howToInstall(installer));
  say(`installing redis-server (${installer.tool})`);
  for (const command of installer.commands) {
    const [program, ...args] = [...prefix, ...command];
    if (!succeeds(program, args)) console.error(`note: ${command.join(' ')} failed`);
  }
  if (!onPath('redis-server')) throw new SetupError(howToInstall(installer));
}

function useNamed(path) {
  if (!isExecutable(path)) throw new SetupError(`REDIS_SERVER=${path} is no program that can be run`);
  // Tests start "redis-server" by name, so its directory goes first.
  if (basename(path) !== 'redis-server') {
    throw new SetupError(`REDIS_SERVER=${path}: the program must be named redis-server`);
  }
  process.env.PATH = `${dirname(resolve(path))}${delimiter}${process.env.PATH ?? ''}`;
}

const INSTALLERS = [
  {
    tool: 'apt-get',
    root: true,
    commands: [
      ['apt-get', 'update', '-qq'],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
    ],
  },
  { tool: 'dnf', root: true, commands: [['dnf', 'install', '-y', '-q', 'redis']] },
  { tool: 'yum', root: true, commands: [['yum', 'install', '-y', '-q', 'redis']] },
  { tool: 'apk', root: true, commands: [['apk', 'add', '--quiet', '--update-cache', 'redis']] },
  { tool: 'brew', root: false, commands: [['brew', 'install', '--quiet', 'redis']] },
];

/** The words before a command that give it the rights it needs; null: this user has no such rights. */
function rightsPrefix(installer) {
  const quiet = installer.tool === 'apt-get' ? ['env', 'DEBIAN_FRONTEND=noninteractive'] : [];
  if (!installer.root || process.getuid?.() === 0) return quiet;
  const maySudo = onPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  return maySudo ? ['sudo', '-n', ...quiet] : null;
}

function howToInstall(installer) {
  const command = installer?.commands
    .at(-1)
    ?.filter((word) => !word.startsWith('-'))
    .join(' ');
  const how = command ? `\`${installer.root ? 'sudo ' : ''}${command}\`` : 'from https://redis.io/downloads';
  return `redis-server is not on the PATH and could not be installed; install it ${command ? 'with ' : ''}${how}, or name one with REDIS_SERVER=/path/to/redis-server`;
}

/**
 * A private redis-server: free port, temporary directory, nothing persisted.
 * Resolves when it takes connections; `stop` ends it and removes its directory.
 */
export async function startRedis() {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'featurectl-redis-'));
  const settings = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => {
    process.removeListener('exit', stop);
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', stop);
  // Without a handler a signal would end this process without its exit event, and leave the server behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  try {
    await untilReady(child);
  } catch (error) {
    stop();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, stop };
}

function untilReady(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (data) => {
      output += data;
      if (output.includes('Ready to accept connections')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => reject(new SetupError(`redis-server did not start: ${error.message}`)));
    child.once('exit', (code) => reject(new SetupError(`redis-server ended with ${code}:\n${output}`)));
  });
}

/** Runs a program of node_modules/.bin with this terminal. Resolves with its exit code. */
export function runTool(name, args) {
  const done = spawnSync(process.execPath, [toolPath(name), ...args], { cwd: ROOT, stdio: 'inherit' });
  return done.status ?? 1;
}

const TOOLS = {
  biome: '@biomejs/biome/bin/biome',
  tsc: 'typescript/bin/tsc',
  vitest: 'vitest/vitest.mjs',
};

function toolPath(name) {
  return join(ROOT, 'node_modules', TOOLS[name]);
}

/** Its output goes to stderr: stdout is for results. */
function succeeds(program, args) {
  const done = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  return done.status === 0;
}

function say(what) {
  console.error(`set-up: ${what}`);
}

function onPath(program) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some((directory) => isExecutable(join(directory, program)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Milliseconds; 0 where there is no such file. */
function modifiedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Of files and directories, since a removed file changes its directory only. */
function newestIn(directory) {
  if (!existsSync(directory)) return 0;
  const inside = readdirSync(directory, { withFileTypes: true }).map((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? newestIn(path) : modifiedAt(path);
  });
  return Math.max(modifiedAt(directory), ...inside);
}
