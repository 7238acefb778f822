import type { Clock } from '../../resilience/index.ts';

interface Closable {
  readonly ended: Promise<unknown>;
  close(): void;
}

/** The tunnels that stand, so that a relay that stops can let them go one after the other. */
export class OpenTunnels {
  readonly #open = new Set<Closable>();
  #opened = 0;

  get count(): number {
    return this.#open.size;
  }

  /** So far. */
  get opened(): number {
    return this.#opened;
  }

  add(tunnel: Closable): void {
    this.#opened++;
    this.#open.add(tunnel);
    void tunnel.ended.finally(() => this.#open.delete(tunnel));
  }

  /**
   * Closes all of them, evenly over `overMs`; at once when the signal fires. Data planes then dial again, and find
   * another replica or the next start of this one.
   */
  async close({
    clock,
    overMs,
    signal,
  }: {
    clock: Clock;
    overMs: number;
    signal: AbortSignal;
  }): Promise<void> {
    const all = [...this.#open];
    const pauseMs = all.length === 0 ? 0 : overMs / all.length;
    for (const tunnel of all) {
      tunnel.close();
      if (!signal.aborted) await clock.sleep(pauseMs, signal).catch(() => {});
    }
  }
}
