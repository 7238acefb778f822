import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { classify } from '../errors/index.ts';
import type { SwitchOverDependencies } from './pipeline.ts';
import { SwitchOver } from './pipeline.ts';
import type { ControlPlaneView } from './verdict.ts';

export interface RelayDependencies extends SwitchOverDependencies {
  readonly watch: SwitchOverDependencies['watch'] & { run(signal: AbortSignal): Promise<void> };
  /** The control plane may have been started anew: its workers are cold. */
  readonly restartAdmission: () => void;
  readonly standIn: SwitchOverDependencies['standIn'] & {
    sessions(): readonly unknown[];
    close(options: { readonly overMs: number; readonly signal: AbortSignal }): Promise<void>;
  };
  readonly copies: SwitchOverDependencies['copies'] & {
    refreshNow(): void;
    watch(options: {
      readonly signal: AbortSignal;
      readonly isDown: () => boolean;
      readonly refreshMs: number;
    }): Promise<unknown>;
  };
  readonly handBack: { run(signal: AbortSignal): Promise<unknown> };
  /** What else goes on beside it until it stops. */
  readonly beside: readonly ((signal: AbortSignal) => Promise<void>)[];
}

export interface RelaySettings {
  /** Between two looks at the heads while the control plane is up, on average; milliseconds. */
  readonly refreshMs: number;
  /** Data planes are let go over so long when it stops; milliseconds. */
  readonly drainMs: number;
}

/** One relay: its watch, its copy of the configuration, and the data planes that dialled it. */
export class Relay {
  readonly #settings: RelaySettings;
  readonly #deps: RelayDependencies;
  readonly #switchOver: SwitchOver;
  readonly #ended = new AbortController();
  /** Fires when the control plane is not up any more. */
  #up: AbortController | undefined;

  constructor(settings: RelaySettings, deps: RelayDependencies) {
    // Each data plane that waits listens to it.
    setMaxListeners(0, this.#ended.signal);
    this.#settings = settings;
    this.#deps = deps;
    this.#switchOver = new SwitchOver(deps, this.#ended.signal);
  }

  /** Data planes that dialled and are not yet served. */
  get held(): number {
    return this.#switchOver.held;
  }

  /** Takes over a paused socket of which no byte was read. */
  accept(socket: Socket): void {
    void this.#switchOver.accept(socket);
  }

  /** The watch calls it at each change of its verdict. */
  changed(view: ControlPlaneView): void {
    const { copies, handBack, log, restartAdmission } = this.#deps;
    if (view.verdict === 'down') copies.refreshNow();
    // A control plane that restarted faster than it could trip is as cold as one that was away for long.
    if (view.verdict === 'up') restartAdmission();
    this.#up?.abort();
    this.#up = undefined;
    if (view.verdict !== 'up' || this.#ended.signal.aborted) return;
    this.#up = new AbortController();
    handBack.run(AbortSignal.any([this.#up.signal, this.#ended.signal])).catch((thrown: unknown) => {
      const { code, kind, message } = classify(thrown, 'hand-back');
      if (kind !== 'aborted') log.error({ event: 'relay.hand-back-failed', code }, message);
    });
  }

  /**
   * Until the signal fires, and then for as long as it takes to let the data planes go. Nobody is accepted meanwhile:
   * `stopAccepting` is called first.
   *
   * @throws FallbackError what the watch or the copies throw, which is a defect
   */
  async run(stop: AbortSignal, stopAccepting: () => void): Promise<void> {
    const { beside, copies, watch } = this.#deps;
    const { signal } = this.#ended;
    const isDown = () => watch.view().verdict === 'down';
    const working = Promise.all([
      watch.run(signal),
      copies.watch({ signal, isDown, refreshMs: this.#settings.refreshMs }),
      ...beside.map((work) => work(signal)),
    ]);
    try {
      await Promise.race([working, fired(stop)]);
      stopAccepting();
      await this.#letGo();
    } finally {
      stopAccepting();
      this.#ended.abort();
      await working.catch((thrown: unknown) => {
        if (classify(thrown, 'relay').kind !== 'aborted') throw thrown;
      });
    }
  }

  async #letGo(): Promise<void> {
    const { clock, log, standIn, tunnels } = this.#deps;
    const { drainMs: overMs } = this.#settings;
    const { signal } = this.#ended;
    log.info(
      {
        event: 'relay.draining',
        tunnels: tunnels.count,
        standIn: standIn.sessions().length,
        overSeconds: overMs / 1000,
      },
      'the relay stops: its data planes are let go one after the other',
    );
    await Promise.all([standIn.close({ overMs, signal }), tunnels.close({ clock, overMs, signal })]);
  }
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
