import { X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type StandInControlPlane,
  type StandInOptions,
  startStandInControlPlane,
} from '../stand-in/control-plane.ts';
import { TestDataPlane, type TestDataPlaneOptions } from '../stand-in/data-plane.ts';
import { encodeFrame } from '../stand-in/frames.ts';
import { documentNumber, exported } from './exported.ts';
import { RelayControlPlane } from './relay-control-plane.ts';
import { LivingDataPlane } from './relay-data-plane.ts';
import { RunningExporter } from './running-exporter.ts';
import { RunningRelay } from './running-relay.ts';
import type { Site } from './site.ts';

/** Nearly as fast as the settings allow: a machine under load takes half a second for an answer. */
const QUICK = {
  listen: '127.0.0.1:0',
  tripSeconds: 1,
  stableSeconds: 0.5,
  maxStableSeconds: 0.5,
  drainSeconds: 0,
  cacheDirectory: 'relay-cache',
};

/** A site with a stored configuration, its relays, control planes and data planes; `end` ends them all. */
export class RelayWorld {
  readonly site: Site;
  readonly fingerprint: string;
  /** The control plane's: it comes back where it was. */
  port = 0;
  readonly #settings: Readonly<Record<string, unknown>>;
  readonly #relays: RunningRelay[] = [];
  readonly #ends: (() => unknown)[] = [];

  private constructor(site: Site, settings: Readonly<Record<string, unknown>>) {
    this.site = site;
    this.#settings = settings;
    this.fingerprint = new X509Certificate(site.certificate.certificate).fingerprint256;
  }

  /** @param documents that were exported, in this order */
  static async create(
    settings: Readonly<Record<string, unknown>> = {},
    documents: readonly Buffer[] = [documentNumber(1)],
  ): Promise<RelayWorld> {
    const site = await exported({ settings: { relay: QUICK, ...settings } }, documents);
    return new RelayWorld(site, settings);
  }

  get relay(): RunningRelay {
    const relay = this.#relays.at(-1);
    if (relay === undefined) throw new Error('there is no relay');
    return relay;
  }

  /** @param relay over the quick settings, @param over the other sections */
  async startRelay(
    relay: Readonly<Record<string, unknown>> = {},
    over: Readonly<Record<string, unknown>> = {},
    args: readonly string[] = ['relay'],
  ): Promise<RunningRelay> {
    this.configure(relay, over);
    const started = await RunningRelay.start(this.site, args);
    this.#relays.push(started);
    return started;
  }

  configure(relay: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>> = {}): void {
    this.site.configure({ ...this.#settings, relay: { ...QUICK, ...relay }, ...over });
  }

  /** In this process: what it did can be looked at, and how it behaves be changed. */
  async controlPlane(n: number, options: Partial<StandInOptions> = {}): Promise<StandInControlPlane> {
    const controlPlane = await startStandInControlPlane({
      certificate: this.site.certificate,
      frames: encodeFrame(documentNumber(n), { timestamp: Date.now() / 1000 }),
      port: this.port,
      ...options,
    });
    this.#isAt(controlPlane.port);
    let closed: Promise<void> | undefined;
    const close = controlPlane.close.bind(controlPlane);
    controlPlane.close = () => {
      closed ??= close();
      return closed;
    };
    this.#ends.push(() => controlPlane.close());
    return controlPlane;
  }

  /** As a process, which can be killed. */
  async controlPlaneProcess(n: number): Promise<RelayControlPlane> {
    if (this.port === 0) await RelayControlPlane.compile(this.site);
    const controlPlane = await RelayControlPlane.start(this.site, n, this.port);
    this.#isAt(controlPlane.port);
    this.#ends.push(() => controlPlane.kill());
    return controlPlane;
  }

  /** One visit of a data plane. */
  async dial(options: Partial<TestDataPlaneOptions> = {}): Promise<TestDataPlane> {
    const dataPlane = await TestDataPlane.connect({ ...this.#dialling(), ...options });
    this.#ends.push(() => dataPlane.kill());
    return dataPlane;
  }

  /** A data plane that dials again whenever it is let go. */
  live(options: () => Partial<TestDataPlaneOptions> = () => ({})): LivingDataPlane {
    const dataPlane = new LivingDataPlane(() => ({ ...this.#dialling(), ...options() }));
    this.#ends.push(() => dataPlane.stop());
    return dataPlane;
  }

  /** Where its control plane is going to be, while it is not. */
  async nowhere(): Promise<Readonly<Record<string, unknown>>> {
    const first = await this.controlPlane(1);
    const { address } = first;
    await first.close();
    return { address, certificate: 'cluster.crt', key: 'cluster.key' };
  }

  /** The exporter of this site, followed by its log. */
  async exporter(): Promise<RunningExporter> {
    const exporter = await RunningExporter.start(this.site);
    this.#ends.push(() => exporter.stop());
    return exporter;
  }

  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** For the next test: what is stored stays, and everybody is gone. */
  async clear(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    const relays = this.#relays.splice(0);
    for (const relay of relays) relay.signal('SIGKILL');
    await Promise.all(relays.map(({ ended }) => ended));
    rmSync(join(this.site.directory, QUICK.cacheDirectory), { recursive: true, force: true });
    this.site.write('cluster.crt', this.site.certificate.certificate);
    this.site.write('cluster.key', this.site.certificate.key);
    this.site.pointAt(1);
    this.port = 0;
  }

  async end(): Promise<void> {
    await this.clear();
    this.site.remove();
  }

  #isAt(port: number): void {
    if (this.port === 0) this.site.pointAt(port);
    this.port = port;
  }

  #dialling(): TestDataPlaneOptions {
    return { port: this.relay.port, certificate: this.site.certificate, applyMs: 0 };
  }
}
