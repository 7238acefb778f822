import type { ObjectInfo, ObjectStore } from '../plugin/index.ts';
import type { Clock } from '../resilience/index.ts';
import { checkedInfo, fromPlugin } from './store-answer.ts';
import { iterate } from './store-iterate.ts';
import { StreamWatch, type WatchLimits } from './store-watch.ts';

export interface ListOptions {
  readonly what: string;
  readonly store: ObjectStore;
  /** As the plugin sees it. */
  readonly prefix: string;
  readonly limits: WatchLimits;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** A plugin's listing, each entry checked, under limits of time. */
export async function* listed(options: ListOptions): AsyncGenerator<ObjectInfo, void, undefined> {
  const { clock, limits, signal, what } = options;
  const cancel = new AbortController();
  const watch = new StreamWatch(clock, limits, what, signal, (error) => cancel.abort(error));
  try {
    const found = options.store.list(options.prefix, { signal: cancel.signal });
    for await (const item of iterate<unknown>(found, clock, watch, () => cancel.abort())) {
      watch.progressed();
      yield checkedInfo(item, what);
    }
  } catch (thrown) {
    throw fromPlugin(thrown, what, cancel.signal);
  } finally {
    watch.stop();
  }
}
