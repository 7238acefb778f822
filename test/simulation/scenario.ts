import type { Chance } from './chance.ts';
import type { NodeOptions } from './control-plane.ts';
import type { ExporterPlan } from './exporter.ts';
import type { NetworkFaults } from './object-storage.ts';
import { MARGIN_MS } from './truth.ts';

/** What one seed plays. All times in milliseconds. */
export interface Scenario {
  readonly nodes: readonly NodeOptions[];
  readonly storeSkewsMs: readonly number[];
  readonly exporters: readonly ExporterPlan[];
  readonly confirmIntervalMs: number;
  readonly faults: NetworkFaults;
  readonly longestStopMs: number;
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
    readonly rollback: number | null;
  };
}

/** What a run dwells on; `any` is a bit of everything. */
export type Theme = 'any' | 'stops' | 'behind' | 'stores' | 'repeats' | 'rollback';
export const THEMES: readonly Theme[] = ['any', 'stops', 'behind', 'stores', 'repeats', 'rollback'];

/** Clocks of machines that nobody looks after: reliability.md asks for 20 minutes. */
const SKEW_MS = 1_200_000;

export function scenarioOf(chance: Chance, theme: Theme): Scenario {
  const skew = () => (chance.is(0.3) ? 0 : chance.between(-SKEW_MS, SKEW_MS));
  const maybe = (probability: number, low: number, high: number) =>
    chance.is(probability) ? chance.between(low, high) : null;
  const many = <T>(count: number, one: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => one(index));
  const pairs = theme === 'any' ? chance.count(1, 2) : 2;
  const short = theme === 'behind' ? 60_000 : theme === 'stops' ? 30_000 : undefined;
  const confirmIntervalMs = short ?? chance.pick([60_000, 120_000, 300_000]);
  // With two seconds of `Date` granularity and the clocks of two stores below the margin of 4 s.
  const exportMs = chance.pick([50, 300, 1200]);
  const hasDataPlanes = chance.is(0.5);
  const storeSkew = skew();
  const stopChance = theme === 'stops' ? chance.pick([0.002, 0.01]) : chance.pick([0, 0, 0, 0, 0.002]);
  const scenario: Scenario = {
    nodes: many(pairs, () => ({ skewMs: skew(), exportMs, hasDataPlanes })),
    storeSkewsMs: many(chance.count(1, 2), () => storeSkew + chance.between(0, 200)),
    exporters: many(chance.is(0.05) ? chance.count(4, 10) : chance.count(2, 3), (index) => ({
      name: `exporter${index}`,
      kind: chance.is(0.8) ? 'follow' : 'once',
      skewMs: skew(),
      stopChance,
      longestStopMs: theme === 'stops' ? 40_000 : 120_000,
      confirmIntervalMs,
      delayMs: chance.pick([1000, 5000]),
      marginMs: MARGIN_MS,
    })),
    confirmIntervalMs,
    faults: chance.is(0.6)
      ? { lost: 0.05, answerLost: 0.05, duplicated: 0.05, slow: 0.05 }
      : { lost: 0, answerLost: 0, duplicated: 0, slow: 0.01 },
    longestStopMs: 120_000,
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
      rollback: null,
    },
  };
  return { ...scenario, ...dwelling(chance, theme, scenario) };
}

export const CALM = { lost: 0, answerLost: 0, duplicated: 0, slow: 0.02 };
export const NOTHING = {
  change: null,
  stop: null,
  kill: null,
  nodeDown: null,
  databaseLost: null,
  storeAway: null,
  storeEmptied: null,
  rollback: null,
};

function dwelling(chance: Chance, theme: Theme, { meanGapsMs }: Scenario): Partial<Scenario> {
  switch (theme) {
    case 'any':
      return {};
    case 'stops':
      return {
        faults: CALM,
        longestStopMs: 40_000,
        troubleMs: 600_000,
        outageMs: 120_000,
        meanGapsMs: { ...NOTHING, change: 25_000, stop: 20_000, databaseLost: 60_000 },
      };
    case 'behind':
      // One node knows nothing new, the other is away: what it sends is all there is.
      return {
        faults: CALM,
        outageMs: 120_000,
        troubleMs: 900_000,
        meanGapsMs: { ...NOTHING, change: 8000, nodeDown: 100_000, databaseLost: 60_000, kill: 120_000 },
      };
    case 'stores':
      return {
        storeSkewsMs: twoStores(chance),
        outageMs: 40_000,
        meanGapsMs: { ...meanGapsMs, change: 10_000, databaseLost: 60_000, storeAway: 30_000 },
      };
    case 'rollback':
      return {
        faults: CALM,
        repeatedContent: 0,
        meanGapsMs: { ...NOTHING, change: 60_000, kill: 30_000, rollback: 100_000 },
      };
    case 'repeats':
      return {
        faults: CALM,
        repeatedContent: 0.95,
        meanGapsMs: { ...NOTHING, change: 6000, databaseLost: 100_000, kill: chance.pick([null, 60_000]) },
      };
  }
}

function twoStores(chance: Chance): readonly number[] {
  const skew = chance.between(-SKEW_MS, SKEW_MS);
  return [skew, skew + chance.between(0, 200)];
}
