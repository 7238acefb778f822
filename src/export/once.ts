import type { Logger, Source } from '../plugin/index.ts';
import type { Clock } from '../resilience/index.ts';
import { type Unsettled, unsettled } from './contention.ts';
import type { ExportOutcome } from './outcome.ts';
import type { LinePipeline } from './pipeline.ts';
import { receiveFirst } from './receive.ts';

export interface OnceDependencies {
  readonly source: Source;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface OnceOptions {
  readonly signal: AbortSignal;
  /** Lets findings pass that a validator marked acceptable; recorded in the head. */
  readonly acceptReason?: string | undefined;
}

/** A foreign exporter wrote in between, or two control planes are too close to call: look again this often. */
const MAX_ROUNDS = 6;
const ROUND_PAUSE_MS = 1000;

/** Receives one configuration and brings the stores up to it. */
export async function exportOnce(
  line: LinePipeline,
  { source, clock, log }: OnceDependencies,
  options: OnceOptions,
): Promise<ExportOutcome> {
  for (let round = 1; ; round++) {
    const result = await once(line, source, options);
    if (typeof result !== 'string') return result;
    if (round === MAX_ROUNDS) throw unsettled(result, line.slowStore);
    log.info({ event: 'export.again', round, reason: result }, 'the stored head has to be looked at again');
    await clock.sleep(ROUND_PAUSE_MS * round, options.signal);
  }
}

/** The heads first, then the session: what it sends is evidence about them. */
async function once(
  line: LinePipeline,
  source: Source,
  options: OnceOptions,
): Promise<ExportOutcome | Unsettled> {
  const { signal, acceptReason } = options;
  const heads = await line.readHeads(signal);
  const { session, received } = await receiveFirst(source, line.settings.gatewayVersion, signal);
  try {
    const settled = await line.settle(heads, received, { signal, confirm: 'due', acceptReason });
    return typeof settled === 'string' ? settled : settled.outcome;
  } finally {
    await session.close();
  }
}
