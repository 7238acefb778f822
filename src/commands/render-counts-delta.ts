type Counts = Readonly<Record<string, number>>;

const MOST = 8;

/** "+3 routes, -1 consumers"; "the same counts" where there is no difference. */
export function countsDelta(from: Counts, to: Counts): string {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const changes = names
    .map((name) => ({ name, by: (to[name] ?? 0) - (from[name] ?? 0) }))
    .filter(({ by }) => by !== 0)
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
  if (changes.length === 0) return 'the same counts';
  const shown = changes.slice(0, MOST).map(({ name, by }) => `${by > 0 ? '+' : ''}${by} ${name}`);
  return `${shown.join(', ')}${changes.length > MOST ? ', …' : ''}`;
}
