/**
 * The candidate nearest to what was written, or undefined when none is near: at most two edits (insertion,
 * deletion, substitution, swap of neighbours), and at most one for names of up to four letters.
 */
export function didYouMean(written: string, candidates: Iterable<string>): string | undefined {
  const word = written.toLowerCase();
  let best: string | undefined;
  let least = word.length <= 4 ? 2 : 3;
  for (const candidate of candidates) {
    const edits = distance(word, candidate.toLowerCase(), least);
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

/** Optimal string alignment distance; anything that must reach `limit` is answered with `limit`. */
function distance(a: string, b: string, limit: number): number {
  // Also bounds the work: names come from the environment and from files.
  if (Math.abs(a.length - b.length) >= limit || a.length > 256) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, at(before, j - 2) + 1);
      }
      current.push(edits);
    }
    before = previous;
    previous = current;
  }
  return Math.min(limit, at(previous, b.length));
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
