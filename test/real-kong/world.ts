import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { RunningExporter } from '../e2e/running-exporter.ts';
import { RunningRelay } from '../e2e/running-relay.ts';
import { Site } from '../e2e/site.ts';
import { AdminApi } from './admin-api.ts';
import { DataPlane } from './data-plane.ts';
import type { KongInstallation } from './environment.ts';
import { KongNode } from './kong-node.ts';
import { inTime } from './until.ts';

/** Of a process of ours. */
const START_MS = 30_000;

/** One site with one real control plane, its data planes, a relay and an exporter; `end` ends them all. */
export class World {
  readonly site: Site;
  readonly #installation: KongInstallation;
  readonly #upstream: Server;
  readonly #ports: { readonly cluster: number; readonly telemetry: number; readonly admin: number };
  readonly #nodes: KongNode[] = [];
  readonly #ends: (() => Promise<unknown>)[] = [];
  #controlPlane: KongNode | undefined;

  private constructor(
    installation: KongInstallation,
    gatewayVersion: string,
    upstream: Server,
    ports: number[],
  ) {
    this.#installation = installation;
    this.#upstream = upstream;
    const [cluster = 0, telemetry = 0, admin = 0] = ports;
    this.#ports = { cluster, telemetry, admin };
    this.site = new Site({
      gatewayVersion,
      settings: {
        source: { use: 'kong-hybrid', silenceSeconds: 10 },
        // The database is the same in each scenario; its exports are seconds apart at most.
        export: { evidenceMarginSeconds: 0, delaySeconds: 0, confirmSchedule: '*/10 * * * * *' },
        relay: { listen: '127.0.0.1:0', stableSeconds: 3, drainSeconds: 0, cacheDirectory: 'relay-cache' },
      },
    });
    this.site.pointAt(cluster);
  }

  static async create(installation: KongInstallation, gatewayVersion: string): Promise<World> {
    const upstream = createServer((_request, response) => response.end('hello'));
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    return new World(installation, gatewayVersion, upstream, await freePorts(3));
  }

  get admin(): AdminApi {
    return new AdminApi(`http://127.0.0.1:${this.#ports.admin}`, () => this.#controlPlane?.log() ?? '');
  }

  /** Starts the control plane, where it was before if it was; its configuration is in the database. */
  async controlPlane({ workers = 1 } = {}): Promise<KongNode> {
    const { cluster, telemetry, admin } = this.#ports;
    const node = this.#node('control-plane', {
      ...this.#installation.postgres,
      KONG_ROLE: 'control_plane',
      KONG_CLUSTER_LISTEN: `127.0.0.1:${cluster}`,
      // Kong Enterprise alone listens there.
      KONG_CLUSTER_TELEMETRY_LISTEN: `127.0.0.1:${telemetry}`,
      KONG_ADMIN_LISTEN: `127.0.0.1:${admin}`,
      KONG_PROXY_LISTEN: 'off',
      KONG_STATUS_LISTEN: 'off',
      KONG_NGINX_WORKER_PROCESSES: String(workers),
      KONG_PLUGINS: 'bundled,fallback-probe',
      KONG_LUA_PACKAGE_PATH: `${this.#plugin()}/?.lua;;`,
    });
    const isFirst = this.#controlPlane === undefined;
    this.#controlPlane = node;
    await node.start();
    await this.admin.ready();
    // Later the very same configuration must come back: each PUT changes updated_at, and with it the hash.
    if (isFirst)
      await this.admin.configure(`http://127.0.0.1:${(this.#upstream.address() as AddressInfo).port}`);
    return node;
  }

  /** @param port that it dials. Default: the control plane's */
  async dataPlane(name: string, port = this.#ports.cluster): Promise<DataPlane> {
    const [proxy = 0, status = 0] = await freePorts(2);
    const node = this.#node(name, {
      KONG_ROLE: 'data_plane',
      KONG_DATABASE: 'off',
      KONG_CLUSTER_CONTROL_PLANE: `127.0.0.1:${port}`,
      KONG_CLUSTER_TELEMETRY_ENDPOINT: `127.0.0.1:${this.#ports.telemetry}`,
      KONG_PROXY_LISTEN: `127.0.0.1:${proxy}`,
      KONG_STATUS_LISTEN: `127.0.0.1:${status}`,
      KONG_ADMIN_LISTEN: 'off',
      KONG_NGINX_WORKER_PROCESSES: '1',
    });
    return new DataPlane(node, proxy, status);
  }

  async relay(): Promise<RunningRelay> {
    const relay = await this.#started('the relay', RunningRelay.start(this.site));
    this.#ends.push(() => relay.kill());
    return relay;
  }

  async exporter(): Promise<RunningExporter> {
    const exporter = await this.#started('the exporter', RunningExporter.start(this.site));
    this.#ends.push(() => exporter.stop());
    return exporter;
  }

  async exportOnce(): Promise<void> {
    const { code, stderr, stdout } = await this.site.run(['export', '--once']);
    if (code !== 0) throw new Error(`export --once ended with ${code}\n${stdout}${stderr}`);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    // One that does not end must not keep the others.
    const ended = await Promise.allSettled(this.#nodes.map((node) => node.kill()));
    this.#upstream.closeAllConnections();
    this.#upstream.close();
    this.site.remove();
    for (const result of ended) if (result.status === 'rejected') throw result.reason;
  }

  #started<T>(what: string, work: Promise<T>): Promise<T> {
    const log = () => this.#controlPlane?.log() ?? '';
    return inTime(`${what} starts`, work, { ms: START_MS, log });
  }

  #node(name: string, settings: Readonly<Record<string, string>>): KongNode {
    const node = new KongNode(this.#installation, join(this.site.directory, name), {
      KONG_CLUSTER_CERT: join(this.site.directory, 'cluster.crt'),
      KONG_CLUSTER_CERT_KEY: join(this.site.directory, 'cluster.key'),
      ...settings,
    });
    this.#nodes.push(node);
    return node;
  }

  /** A plugin that only the control plane has; it does nothing. */
  #plugin(): string {
    const lua = join(this.site.directory, 'lua');
    const folder = join(lua, 'kong/plugins/fallback-probe');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'handler.lua'), 'return { PRIORITY = 1, VERSION = "1.0.0" }\n');
    writeFileSync(
      join(folder, 'schema.lua'),
      'return { name = "fallback-probe", fields = { { config = { type = "record", fields = {} } } } }\n',
    );
    return lua;
  }
}

/** Free a moment ago, all at the same time. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createTcp().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
