/** Preloaded into a measured node process: tells its resource usage on file descriptor 3 when it exits. */
import { readFileSync, writeSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const rss = peakRss() ?? maxRSS / 1024;
  writeSync(3, JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1e6, rss }));
});

/** MB. On Linux maxRSS begins with that of the process that started this one; VmHWM does not. */
function peakRss() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  } catch {
    return null;
  }
}
