import { classify } from '../errors/index.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';
import { fromError, type Observation } from './observation.ts';
import type { Area, Diagnosis } from './report.ts';

export interface Check {
  readonly area: Area;
  /** For the error of one that comes to no end. */
  readonly name: string;
  /** Milliseconds; default 30 s. */
  readonly deadlineMs?: number;
  readonly look: (signal: AbortSignal) => readonly Observation[] | Promise<readonly Observation[]>;
}

/** Two addresses that are black holes, or one request with its retries. */
const DEADLINE_MS = 30_000;

/**
 * Side by side; one that fails or hangs is a result like any other and keeps none of the others from theirs.
 *
 * @throws FallbackError only when the signal fires
 */
export async function runChecks(
  checks: readonly Check[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Diagnosis[]> {
  const results = await Promise.all(
    checks.map(async ({ area, deadlineMs = DEADLINE_MS, look, name }) => {
      try {
        const seen = await withDeadline(clock, deadlineMs, signal, name, async (inner) => look(inner));
        return seen.map((observation) => ({ ...observation, area }));
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        return [{ ...fromError(classify(thrown, name), 'error'), area }];
      }
    }),
  );
  const all = results.flat();
  // A key that cannot be read fails whatever needs it, and is one thing to mend.
  const isFirst = (one: Diagnosis, at: number) =>
    all.findIndex(({ code, message }) => code === one.code && message === one.message) === at;
  return all.filter(isFirst);
}
