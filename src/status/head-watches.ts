import type { HeadState } from '../observe/metrics-state.ts';
import type { Clock } from '../resilience/index.ts';
import type { Line } from '../snapshot/head.ts';
import type { Trust } from '../snapshot/keys.ts';
import type { LineStore } from '../snapshot/snapshot-store.ts';
import { HeadWatch, watched } from './head-watch.ts';

/** The heads of every line in every store that a process works with. */
export class HeadWatches {
  readonly #trust: Trust;
  readonly #clock: Clock;
  /** By gateway version, then by storage, in the order of the settings. */
  readonly #watches = new Map<string, Map<string, HeadWatch>>();

  constructor(trust: Trust, clock: Clock) {
    this.#trust = trust;
    this.#clock = clock;
  }

  /** The same store; the head of this line is seen as it passes by. */
  watch(store: LineStore, line: Line): LineStore {
    const watch = new HeadWatch(store.id, line, this.#trust, this.#clock);
    const ofLine = this.#watches.get(line.gatewayVersion) ?? new Map<string, HeadWatch>();
    this.#watches.set(line.gatewayVersion, ofLine.set(store.id, watch));
    return watched(store, line.gatewayVersion, watch);
  }

  states(gatewayVersion: string): HeadState[] {
    return [...(this.#watches.get(gatewayVersion)?.values() ?? [])].map((watch) => watch.state());
  }
}
