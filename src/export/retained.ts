import type { SnapshotEntry } from '../snapshot/head.ts';
import type { Keep } from './line.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The entries that stay listed, in their order; the first, the current one, always does. */
export function retained(entries: readonly SnapshotEntry[], keep: Keep): SnapshotEntry[] {
  const kept = new Set(entries.slice(0, Math.max(1, keep.last)));
  for (const entry of newestOfEach(entries, HOUR_MS, keep.hourly)) kept.add(entry);
  for (const entry of newestOfEach(entries, DAY_MS, keep.daily)) kept.add(entry);
  return entries.filter((entry) => kept.has(entry));
}

/** Of each of the newest `count` periods that have any; entries come newest first. */
function newestOfEach(entries: readonly SnapshotEntry[], periodMs: number, count: number): SnapshotEntry[] {
  const periods = new Map<number, SnapshotEntry>();
  for (const entry of entries) {
    const period = Math.floor(Date.parse(entry.exportedAt) / periodMs);
    if (!periods.has(period)) periods.set(period, entry);
  }
  return [...periods.entries()]
    .sort(([a], [b]) => b - a)
    .slice(0, count)
    .map(([, entry]) => entry);
}
