/**
 * `npm run build`: src/ and the packages that only development installs → dist/, so that a command opens a few files
 * where it would open hundreds. The packages of `dependencies` stay outside. Types are checked by `npm run check`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { leanIoredis } from './lean-ioredis.js';
import { ROOT } from './lib.js';

const DIST = join(ROOT, 'dist');

/** Files that are found by their path: by bin/, by a thread, beside package.json, by tests. */
const ENTRIES = [
  'main',
  'cli/program',
  'commands/encode-link',
  'commands/encode-thread',
  'commands/ingest',
  'commands/version',
];

/** Files that are loaded together, each with all it imports and no earlier group has; a file less to open is a millisecond. */
const GROUPS = [
  { name: 'start', test: /src\/main\.ts$/, priority: 5 },
  { name: 'yaml', test: /node_modules\/yaml\//, priority: 4 },
  { name: 'grammar', test: /src\/cli\/program\.ts$/, priority: 3 },
  { name: 'load', test: /src\/commands\/ingest\.ts$/, priority: 2 },
  { name: 'redis', test: /src\/redis\/index\.ts$/, priority: 1 },
];

const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const outside = Object.keys({ ...dependencies, ...optionalDependencies });

const bundle = await rolldown({
  cwd: ROOT,
  input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])),
  platform: 'node',
  preserveEntrySignatures: 'allow-extension',
  external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [leanIoredis, { name: 'licences', generateBundle: emitLicences }],
  onLog: (level, { message }) => {
    if (level === 'warn') throw new Error(message);
  },
});
const { output } = await bundle.generate({
  entryFileNames: '[name].js',
  chunkFileNames: 'shared/[name].js',
  codeSplitting: { groups: GROUPS },
  comments: false,
});
// Only now, so that a build that fails leaves nothing half done.
rmSync(DIST, { recursive: true, force: true });
for (const { fileName, code, source } of output) {
  const file = join(DIST, fileName);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code === undefined ? source : asciiOnly(code));
}

/** A single character beyond latin1 has V8 hold and read the whole file in two bytes each. */
function asciiOnly(code) {
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The copies of packages must carry their licences and notices. */
function emitLicences(_options, files) {
  const modules = Object.values(files).flatMap(({ moduleIds = [] }) => moduleIds);
  const packages = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? []);
  const texts = [...new Set(packages)].sort().map(licenceOf);
  this.emitFile({ type: 'asset', fileName: 'licences.txt', source: texts.join(`\n${'-'.repeat(72)}\n\n`) });
}

function licenceOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const files = readdirSync(directory).filter((entry) => /^(?:licen[cs]e|notice)/i.test(entry));
  if (files.length === 0 && !license) throw new Error(`${name}: expected a licence, found none`);
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8'));
  return [`${name} ${version}`, ...(texts.length > 0 ? texts : [license])].join('\n\n');
}
