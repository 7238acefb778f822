import type { Socket } from 'node:net';
import type { DependencyContainer } from 'tsyringe';
import type { LoadedSettings } from '../config/index.ts';
import type { ServiceState } from '../observe/metrics-state.ts';
import { Listener } from '../relay/tunnel/listener.ts';
import { PassThrough } from '../relay/tunnel/pass-through.ts';
import { relayHealth } from '../service/health-relay.ts';
import { storeStates } from '../service/health-stores.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import { startHttpService } from './http-service.ts';
import { Part } from './parts.ts';
import { createRelayPieces, type RelayPieces, relayKeys, relayParts } from './relay.ts';
import { relayFacts } from './relay-facts.ts';
import { SettingsReload } from './settings-reload.ts';
import { type Get, get as getter } from './tokens.ts';

const CLOSE_DEADLINE_MS = 5000;

export interface RelayOptions {
  /** Reads the settings again, for certificates and keys that change. Absent: they stay what they are. */
  readonly reload?: () => Promise<LoadedSettings>;
  /** Told of each data plane that the stand-in sees. */
  readonly onDataPlane?: (seen: {
    readonly gatewayVersion: string;
    readonly plugins: readonly string[];
  }) => void;
}

/** The address that data planes dial. Whoever creates one closes it. */
export class RelayService {
  readonly #get: Get;
  readonly #options: RelayOptions;
  readonly #startedAt: number;
  #pieces: RelayPieces | undefined;
  #stores: readonly GuardedStore[] = [];
  #address: string | undefined;
  #reload: SettingsReload | undefined;

  constructor(parts: DependencyContainer, options: RelayOptions = {}) {
    this.#get = getter(parts);
    this.#options = options;
    this.#startedAt = this.#get(Part.clock).now();
  }

  /** `host:port` as it is listened on; undefined before that. */
  get address(): string | undefined {
    return this.#address;
  }

  /**
   * Serves data planes on `relay.listen` until the signal fires, then lets them go over `relay.drainSeconds`.
   *
   * @throws FallbackError KF_RELAY_LISTEN, KF_SERVICE_LISTEN, and `invalid` for settings that cannot work
   */
  async run(stop: AbortSignal): Promise<void> {
    const log = this.#get(Part.log);
    const waiting: Socket[] = [];
    const listener = await this.#listen((socket) => {
      // Whoever dials while the parts are made is held.
      if (this.#pieces === undefined) waiting.push(socket);
      else this.#pieces.relay.accept(socket);
    });
    await startHttpService(this.#get, () => this.status());
    this.#stores = await this.#get(Part.stores);
    this.#pieces = await this.#create();
    for (const socket of waiting.splice(0)) this.#pieces.relay.accept(socket);
    await this.#passThrough();
    log.info(
      { event: 'relay.started', address: this.#address },
      `data planes may dial ${this.#address} (cluster_control_plane)`,
    );
    try {
      await this.#pieces.relay.run(stop, () => listener.stopAccepting());
    } finally {
      log.info({ event: 'relay.stopped' }, 'the relay has stopped');
    }
  }

  /** Reads certificates and keys again and looks at the heads, now; before it runs, nothing. */
  lookNow(): void {
    this.#reload?.lookNow();
    this.#pieces?.copies.refreshNow();
  }

  /** As health, metrics and /status tell it. */
  status(): ServiceState {
    const { settings } = this.#get(Part.settings);
    return relayHealth({
      cluster: settings.cluster,
      startedAt: this.#startedAt,
      gatewayVersions: settings.gatewayVersions,
      stores: storeStates(this.#stores, this.#get(Part.breakers)),
      findings: this.#get(Part.findings).list(),
      relay: this.#pieces && relayFacts(this.#pieces),
    });
  }

  /** Closes everything in the reverse order of building, each within 5 s. */
  close(): Promise<void> {
    return this.#get(Part.lifecycle).close(this.#get(Part.clock), this.#get(Part.log), CLOSE_DEADLINE_MS);
  }

  async #listen(onConnection: (socket: Socket) => void): Promise<Listener> {
    const { relay } = this.#get(Part.settings).settings;
    const listener = new Listener({
      listen: relay.listen ?? '127.0.0.1:0',
      setting: 'relay.listen',
      maxConnections: relay.maxConnections,
      onConnection,
      clock: this.#get(Part.clock),
      log: this.#get(Part.log),
    });
    this.#get(Part.lifecycle).opened('relay.listen', () => listener.close());
    this.#address = await listener.start();
    return listener;
  }

  async #create(): Promise<RelayPieces> {
    const get = this.#get;
    const [clock, findings, log] = [get(Part.clock), get(Part.findings), get(Part.log)];
    const { onDataPlane, reload } = this.#options;
    let keys = await relayKeys(get);
    const beside: ((signal: AbortSignal) => Promise<void>)[] = [];
    if (reload !== undefined) {
      const changed = async (loaded: LoadedSettings) => {
        get(Part.redactor).learn(loaded.secrets);
        keys = await relayKeys(getter(relayParts(loaded, log)));
      };
      const watch = new SettingsReload(get(Part.settings), { load: reload, changed, clock, findings, log });
      this.#reload = watch;
      beside.push((signal) => watch.run(signal));
    }
    return createRelayPieces(get, { keys: () => keys, beside, onDataPlane });
  }

  async #passThrough(): Promise<void> {
    const [clock, log, lifecycle] = [this.#get(Part.clock), this.#get(Part.log), this.#get(Part.lifecycle)];
    const { listeners, maxConnections } = this.#get(Part.settings).settings.relay;
    for (const { listen, to } of listeners) {
      const passThrough = new PassThrough({ listen, to, maxConnections, clock, log });
      lifecycle.opened(`relay.listeners ${listen}`, () => passThrough.close());
      await passThrough.start();
    }
  }
}
