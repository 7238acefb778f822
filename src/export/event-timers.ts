import type { Clock } from '../resilience/index.ts';

/** Events for later. One of each kind waits at a time, the one that is due first: reasons come faster than they are dealt with. */
export class EventTimers<Kind extends string> {
  readonly #clock: Clock;
  readonly #onDue: (kind: Kind) => void;
  readonly #waiting = new Map<Kind, { readonly dueAt: number; readonly timer: AbortController }>();

  constructor(clock: Clock, onDue: (kind: Kind) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  in(ms: number, kind: Kind): void {
    const dueAt = this.#clock.monotonic() + ms;
    const waiting = this.#waiting.get(kind);
    if (waiting !== undefined && waiting.dueAt <= dueAt) return;
    waiting?.timer.abort();
    const timer = new AbortController();
    this.#waiting.set(kind, { dueAt, timer });
    this.#clock.sleep(ms, timer.signal).then(
      () => {
        this.#waiting.delete(kind);
        this.#onDue(kind);
      },
      () => {},
    );
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) timer.abort();
  }
}
