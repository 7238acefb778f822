const LARGEST = 3;

/** "26 entities: 11 routes, 6 services, 5 consumers, …". */
export function entities(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const shown = sorted.slice(0, LARGEST).map(([name, count]) => `${count} ${name}`);
  const more = sorted.length > LARGEST ? ', …' : '';
  return `${total} ${total === 1 ? 'entity' : 'entities'}${shown.length === 0 ? '' : `: ${shown.join(', ')}${more}`}`;
}
