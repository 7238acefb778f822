import type { Chance } from './chance.ts';
import type { NodeOptions } from './control-plane.ts';
import type { ExporterPlan } from './exporter.ts';
import type { NetworkFaults } from './object-storage.ts';

/** What one seed plays. All times in milliseconds. */
export interface Scenario {
  readonly nodes: readonly NodeOptions[];
  readonly storeSkewsMs: readonly number[];
  readonly exporters: readonly ExporterPlan[];
  readonly confirmIntervalMs: number;
  readonly faults: NetworkFaults;
  readonly troubleMs: number;
  /** Mean time of an outage. */
  readonly outageMs: number;
  readonly maxVersions: number;
  /** Chance that a change goes back to a content that was there before. */
  readonly repeatedContent: number;
  /** Mean time between two of each; null: never. */
  readonly meanGapsMs: {
    readonly change: number | null;
    readonly stop: number | null;
    readonly kill: number | null;
    readonly nodeDown: number | null;
    readonly databaseLost: number | null;
    readonly storeAway: number | null;
    readonly storeEmptied: number | null;
  };
}

/** Clocks of machines that nobody looks after: reliability.md asks for 20 minutes. */
const SKEW_MS = 1_200_000;

export function scenarioOf(chance: Chance): Scenario {
  const skew = () => (chance.is(0.3) ? 0 : chance.between(-SKEW_MS, SKEW_MS));
  const maybe = (probability: number, low: number, high: number) =>
    chance.is(probability) ? chance.between(low, high) : null;
  const confirmIntervalMs = chance.pick([60_000, 120_000, 300_000]);
  // With two seconds of `Date` granularity and the clocks of two stores below the margin of 4 s.
  const exportMs = chance.pick([50, 300, 1200]);
  const hasDataPlanes = chance.is(0.5);
  const nodes = Array.from({ length: chance.count(1, 2) }, () => ({
    skewMs: skew(),
    exportMs,
    hasDataPlanes,
  }));
  const storeSkew = skew();
  const storeSkewsMs = Array.from({ length: chance.count(1, 2) }, () => storeSkew + chance.between(0, 200));
  const stopChance = chance.is(0.2) ? 0.002 : 0;
  const exporters = Array.from(
    { length: chance.is(0.05) ? chance.count(4, 10) : chance.count(2, 3) },
    (_, index) => ({
      name: `exporter${index}`,
      kind: chance.is(0.8) ? ('follow' as const) : ('once' as const),
      skewMs: skew(),
      stopChance,
      confirmIntervalMs,
      delayMs: chance.pick([1000, 5000]),
      marginMs: 4000,
    }),
  );
  const harsh = chance.is(0.6);
  return {
    nodes,
    storeSkewsMs,
    exporters,
    confirmIntervalMs,
    faults: harsh
      ? { lost: 0.05, answerLost: 0.05, duplicated: 0.05, slow: 0.05 }
      : { lost: 0, answerLost: 0, duplicated: 0, slow: 0.01 },
    troubleMs: chance.between(4, 8) * confirmIntervalMs,
    outageMs: chance.between(10_000, 2 * confirmIntervalMs),
    maxVersions: 200,
    repeatedContent: chance.pick([0, 0.5, 0.9]),
    meanGapsMs: {
      change: chance.between(3000, 60_000),
      stop: maybe(0.7, 20_000, 200_000),
      kill: maybe(0.7, 20_000, 200_000),
      nodeDown: maybe(0.4, 60_000, 400_000),
      databaseLost: maybe(0.5, 60_000, 400_000),
      storeAway: maybe(0.5, 60_000, 400_000),
      storeEmptied: maybe(0.3, 120_000, 600_000),
    },
  };
}
