import type { FallbackError } from '../../errors/index.ts';
import type { Clock, Logger } from '../../plugin/plugin.ts';

/** Who was refused, as far as it is known; texts fit for a log. */
export interface RefusedPeer {
  readonly remote?: string;
  readonly nodeId?: string;
  readonly hostname?: string;
  readonly gatewayVersion?: string;
}

const LINE_EVERY_MS = 10_000;

/** Counts refusals by code, and logs at most one line for a code in 10 s, with the number of those left out. */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #codes = new Map<string, { count: number; lineAt: number; leftOut: number }>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  refused(error: FallbackError, peer: RefusedPeer): void {
    const fields = this.#count(error, peer);
    if (fields !== undefined) this.#log.warn({ event: 'relay.data-plane-refused', ...fields }, error.message);
  }

  /** For a data plane that was served, and takes or says nothing any more. */
  stalled(error: FallbackError, peer: RefusedPeer): void {
    const fields = this.#count(error, peer);
    if (fields !== undefined) this.#log.warn({ event: 'relay.data-plane-stalled', ...fields }, error.message);
  }

  /** By code, since the start. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#codes].map(([code, { count }]) => [code, count]));
  }

  #count({ code, hint }: FallbackError, peer: RefusedPeer): object | undefined {
    const now = this.#clock.monotonic();
    const seen = this.#codes.get(code) ?? { count: 0, lineAt: Number.NEGATIVE_INFINITY, leftOut: 0 };
    this.#codes.set(code, seen);
    seen.count++;
    if (now - seen.lineAt < LINE_EVERY_MS) {
      seen.leftOut++;
      return undefined;
    }
    const { leftOut } = seen;
    seen.lineAt = now;
    seen.leftOut = 0;
    return { code, ...peer, hint, ...(leftOut > 0 && { leftOut }) };
  }
}
