/** `; did you mean X?`, or nothing where no known name is near. */
export function nearest(name: string, known: Iterable<string>): string {
  const ranked = [...known].map((other) => ({ other, steps: distance(name, other) }));
  const best = ranked.sort((a, b) => a.steps - b.steps)[0];
  return best && best.steps <= Math.max(2, name.length / 5) ? `; did you mean ${best.other}?` : '';
}

/** Letters to put in, take out or change: Levenshtein's distance, one row of its table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
