import { aborted, type Random } from '../../resilience/index.ts';
import type { Provision } from '../provision.ts';
import { StandingCopy, type StandingCopyDependencies } from './standing-copy.ts';
import type { StandingCopyStatus } from './standing-copy-status.ts';

export interface StandingCopiesDependencies extends StandingCopyDependencies {
  /** Those of the settings: there has to be something for each. */
  readonly gatewayVersions: readonly string[];
  readonly random: Random;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Whether the control plane is down now. */
  readonly isDown: () => boolean;
  /** Between two looks while it is up, on average; milliseconds. */
  readonly refreshMs: number;
}

/** While the control plane is down: a rollback has to arrive, and one conditional read a minute is nothing. */
const DOWN_REFRESH_MS = 60_000;
/** Between two looks at least, however often one is wanted. */
const LEAST_PAUSE_MS = 1000;
/** A bound on memory and requests; a fleet is on a few versions. */
const MAX_LINES = 16;
/** Lines that are refreshed at a time: a frame that is built takes its own size and a few MB. */
const AT_A_TIME = 4;

/** What the stand-in serves: the newest stored configuration of each gateway version. */
export class StandingCopies {
  readonly #deps: StandingCopiesDependencies;
  readonly #copies = new Map<string, StandingCopy>();
  readonly #lookedOnce: Promise<void>;
  #allLooked = false;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #wake: AbortController | undefined;

  /** @throws FallbackError `invalid` KF_LINE_INVALID */
  constructor(deps: StandingCopiesDependencies) {
    this.#deps = deps;
    for (const version of deps.gatewayVersions)
      this.#copies.set(version, new StandingCopy(version, true, deps));
    this.#lookedOnce = Promise.all([...this.#copies.values()].map(({ looked }) => looked)).then(() => {
      this.#allLooked = true;
    });
  }

  provision(gatewayVersion: string): Provision | undefined {
    return this.#copies.get(gatewayVersion)?.provision;
  }

  /**
   * After a start: when there is something for each version of the settings, or it was looked for once.
   *
   * @throws FallbackError the abort; nothing when `waitMs` are over
   */
  async looked({ waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<void> {
    if (this.#allLooked) return;
    const over = new AbortController();
    const stop = () => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([this.#lookedOnce, this.#deps.clock.sleep(waitMs, over.signal).catch(() => {})]);
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
    }
    if (signal.aborted) throw aborted(signal);
  }

  /** Those that can be served now. */
  versions(): readonly string[] {
    return [...this.#copies]
      .filter(([, { provision }]) => provision !== undefined)
      .map(([version]) => version);
  }

  status(): readonly StandingCopyStatus[] {
    return [...this.#copies.values()].map((copy) => copy.status());
  }

  /**
   * A data plane of this version was seen: its line is looked up too, soon. Past 16 lines the oldest that was learnt, and
   * that storage does not have, gives way.
   */
  learn(gatewayVersion: string): void {
    if (this.#copies.has(gatewayVersion)) return;
    if (this.#copies.size >= MAX_LINES && !this.#forgetOne()) return;
    try {
      this.#copies.set(gatewayVersion, new StandingCopy(gatewayVersion, false, this.#deps));
    } catch {
      // No version of a gateway: there is no line of that name.
      return;
    }
    this.refreshNow();
  }

  /**
   * Looks at all lines, joining a look that is under way.
   *
   * @throws FallbackError `aborted`, and nothing else
   */
  async refresh({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (;;) {
      if (signal.aborted) throw aborted(signal);
      const isOurs = this.#running === undefined;
      this.#running ??= this.#refreshAll(signal).finally(() => {
        this.#running = undefined;
      });
      try {
        return await unlessAborted(this.#running, signal);
      } catch (thrown) {
        // Whoever began it has stopped, and we have not.
        if (isOurs || signal.aborted) throw thrown;
      }
    }
  }

  /** `watch` looks at once; several calls before that are one. */
  refreshNow(): void {
    this.#isWanted = true;
    this.#wake?.abort();
  }

  /** @throws FallbackError `aborted`: it ends with the signal */
  async watch({ signal, isDown, refreshMs }: WatchOptions): Promise<never> {
    const { clock, random } = this.#deps;
    for (;;) {
      this.#isWanted = false;
      await this.refresh({ signal });
      await clock.sleep(LEAST_PAUSE_MS, signal);
      if (this.#isWanted) continue;
      const pauseMs = isDown() ? DOWN_REFRESH_MS : refreshMs * (0.5 + random());
      await this.#pause(pauseMs - LEAST_PAUSE_MS, signal);
    }
  }

  /** Until it is over, somebody wants a look, or the signal fires. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const wake = new AbortController();
    const stop = () => wake.abort();
    this.#wake = wake;
    signal.addEventListener('abort', stop, { once: true });
    await this.#deps.clock.sleep(Math.max(0, ms), wake.signal).catch(() => {});
    signal.removeEventListener('abort', stop);
  }

  async #refreshAll(signal: AbortSignal): Promise<void> {
    const waiting = [...this.#copies.values()];
    const work = async () => {
      for (let copy = waiting.shift(); copy !== undefined; copy = waiting.shift()) await copy.refresh(signal);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }

  #forgetOne(): boolean {
    for (const [version, copy] of this.#copies) {
      if (this.#deps.gatewayVersions.includes(version) || copy.provision !== undefined) continue;
      copy.forget();
      return this.#copies.delete(version);
    }
    return false;
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(aborted(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
