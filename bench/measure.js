/** Runs one command and measures it: wall seconds, CPU seconds (user + sys), peak RSS in MB. */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

const HOOK = new URL('./rusage-hook.js', import.meta.url).href;

/** `command`: program and arguments. Throws when it exits with anything but 0. `stdin`: a file. */
export async function measure(command, { stdin, env } = {}) {
  const started = performance.now();
  const isNode = command[0] === process.execPath;
  const args = isNode ? ['--import', HOOK, ...command.slice(1)] : command.slice(1);
  const child = spawn(command[0], args, {
    stdio: [stdin ? openSync(stdin, 'r') : 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const [out, error, usage] = await Promise.all([1, 2, 3].map((fd) => text(child.stdio[fd])));
  const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${command.join(' ')} exited with ${code}\n${out}\n${error}`);
  return { seconds, stdout: out, stderr: error, ...(isNode ? JSON.parse(usage) : { cpu: null, rss: null }) };
}

async function text(stream) {
  let all = '';
  for await (const piece of stream) all += piece;
  return all;
}

/** Of numbers, which are sorted in place. */
export function quantiles(numbers) {
  numbers.sort();
  const at = (share) => Number(numbers[Math.floor(numbers.length * share)].toFixed(2));
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
