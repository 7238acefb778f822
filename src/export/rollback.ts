// An operator's way back: heads → plan → a head with a hold in every store; and its end, `--resume`.
import { FallbackError } from '../errors/index.ts';
import type { Clock } from '../resilience/index.ts';
import { contentOf, contentOfEntry, sameContent } from '../snapshot/content.ts';
import type { Head, Hold } from '../snapshot/head.ts';
import { unsettled } from './contention.ts';
import type { LineHeads } from './line-heads.ts';
import type { HeadFacts } from './next-head.ts';
import type { LinePipeline } from './pipeline.ts';
import type { StoreResult } from './publish.ts';
import { resumedHead, rolledBackHead } from './rollback-head.ts';
import { noHead, planRollback, type RollbackOrder, type RollbackPlan } from './rollback-plan.ts';

export interface RollbackOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface PlannedRollback {
  readonly line: LinePipeline;
  readonly heads: LineHeads;
  readonly plan: RollbackPlan;
}

export interface WrittenHead {
  readonly sequence: number;
  readonly stores: readonly StoreResult[];
}

/** Exporters confirm every few minutes: a second lost race in a row is rare. */
const MAX_ROUNDS = 6;
const ROUND_PAUSE_MS = 500;

/** @throws what reading the heads and `planRollback` throw */
export async function planLineRollback(
  line: LinePipeline,
  order: RollbackOrder,
  signal: AbortSignal,
): Promise<PlannedRollback> {
  const heads = await line.readHeads(signal);
  const { gatewayVersion } = line.settings;
  return { line, heads, plan: planRollback(heads, order, { gatewayVersion, now: line.now() }) };
}

/**
 * @throws FallbackError `conflict` KF_ROLLBACK_OVERTAKEN: something else was published since the plan; KF_EXPORT_CONTENDED;
 *   a store's own error when none could be written
 */
export function writeRollback(
  { line, heads, plan }: PlannedRollback,
  options: RollbackOptions,
): Promise<WrittenHead> {
  const { gatewayVersion } = line.settings;
  const make = (base: Head, facts: HeadFacts) => {
    // What the operator saw, or a part of our own first round.
    const expected = [contentOfEntry(plan.target), ...plan.hold.rejected];
    const isSeen = (head: Head) => expected.some((content) => sameContent(content, contentOf(head)));
    if (!facts.replaced.every(isSeen)) throw overtaken(gatewayVersion);
    return rolledBackHead(base, plan, facts);
  };
  return write(line, heads, make, options);
}

/** @returns undefined where no hold is in force, with nothing written */
export async function resumeLine(
  line: LinePipeline,
  options: RollbackOptions,
): Promise<{ readonly hold: Hold; readonly written: WrittenHead } | undefined> {
  const heads = await line.readHeads(options.signal);
  if (heads.base === undefined) throw noHead(`gateway ${line.settings.gatewayVersion}`);
  const { hold } = heads.base;
  if (hold === null) return undefined;
  return { hold, written: await write(line, heads, resumedHead, options) };
}

async function write(
  line: LinePipeline,
  first: LineHeads,
  make: (base: Head, facts: HeadFacts) => Head,
  { clock, signal }: RollbackOptions,
): Promise<WrittenHead> {
  let heads = first;
  for (let round = 1; ; round++) {
    const { base } = heads;
    if (base === undefined) throw noHead(`gateway ${line.settings.gatewayVersion}`);
    const written = await line.replaceHead(heads, (facts) => make(base, facts), signal);
    if (written !== 'conflict') return { sequence: written.head.sequence, stores: written.results };
    if (round === MAX_ROUNDS) throw unsettled('conflict');
    await clock.sleep(ROUND_PAUSE_MS * round, signal);
    heads = await line.readHeads(signal);
  }
}

const overtaken = (gatewayVersion: string): FallbackError =>
  new FallbackError(
    'conflict',
    'KF_ROLLBACK_OVERTAKEN',
    `gateway ${gatewayVersion}: another configuration was published while this was under way`,
    { hint: 'Look at it with `kongfallback history`, and run this again if it is still wanted.' },
  );
