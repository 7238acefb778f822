import type { Clock } from '../resilience/index.ts';
import { withDeadline } from '../resilience/index.ts';
import type { StreamWatch } from './store-watch.ts';

/** How long a plugin may take to free what stands behind an iterator, milliseconds. */
const LEAVE_MS = 1_000;

/**
 * Reads what a plugin yields, step by step under a watch. Leaving the loop frees the plugin's side: `return()`
 * first where the iterator is at rest; where it is stuck, `cancel` first, since `return()` of a generator waits
 * for the step under way.
 */
export async function* iterate<T>(
  source: AsyncIterable<T> | Iterable<T>,
  clock: Clock,
  watch: StreamWatch,
  cancel: () => void,
): AsyncGenerator<T, void, undefined> {
  let iterator: AsyncIterator<T> | Iterator<T> | undefined;
  let under = false;
  let ended = false;
  try {
    iterator = begin(source);
    const steps = iterator;
    for (;;) {
      under = true;
      const step = await watch.next(() => steps.next());
      under = false;
      if (step.done === true) {
        ended = true;
        return;
      }
      yield step.value;
    }
  } finally {
    watch.stop();
    if (!ended) {
      if (under) cancel();
      const left = leave(iterator);
      if (!under)
        await withDeadline(clock, LEAVE_MS, new AbortController().signal, '', () => left).catch(() => {});
      cancel();
    }
  }
}

function begin<T>(source: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  const asynchronous = (source as Partial<AsyncIterable<T>>)[Symbol.asyncIterator];
  if (asynchronous !== undefined) return asynchronous.call(source);
  return (source as Iterable<T>)[Symbol.iterator]();
}

async function leave<T>(iterator: AsyncIterator<T> | Iterator<T> | undefined): Promise<void> {
  try {
    await iterator?.return?.();
  } catch {
    // The caller has what it wanted, or the error that made it leave.
  }
}
