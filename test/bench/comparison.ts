import { type Cost, costOf, type Program } from './measure.ts';

export interface Contest {
  readonly ours: Program;
  readonly peer: Program;
  /** Puts everything back to where a run begins; not measured. */
  reset(): Promise<void> | void;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Comparison {
  readonly ours: Spread;
  readonly peer: Spread;
  /** CPU of ours divided by CPU of the peer that ran right after it. */
  readonly ratio: Spread;
  readonly wallRatio: Spread;
}

/**
 * Ours and its peer in turns, so that what else the machine does strikes both. One run of each beforehand fills the
 * file cache and does not count.
 */
export async function compare({ ours, peer, reset }: Contest, rounds: number): Promise<Comparison> {
  const pairs: { ours: Cost; peer: Cost }[] = [];
  for (let round = 0; round <= rounds; round++) {
    await reset();
    const pair = { ours: await costOf(ours), peer: await costOf(peer) };
    if (round > 0) pairs.push(pair);
  }
  return {
    ours: spread(pairs.map((pair) => pair.ours.cpuSeconds)),
    peer: spread(pairs.map((pair) => pair.peer.cpuSeconds)),
    ratio: spread(pairs.map((pair) => pair.ours.cpuSeconds / pair.peer.cpuSeconds)),
    wallRatio: spread(pairs.map((pair) => pair.ours.wallSeconds / pair.peer.wallSeconds)),
  };
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    min: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    max: at(sorted.length - 1),
  };
}
