import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { runWell } from './command.ts';
import type { DataPlane } from './data-plane.ts';
import { KongDatabase } from './database.ts';
import type { KongInstallation } from './environment.ts';
import { type KongNode, kongVersion } from './kong-node.ts';
import { inTime, until } from './until.ts';
import { World } from './world.ts';

const BIN =
  process.env['KF_TEST_BIN'] ?? fileURLToPath(new URL('../../bin/kongfallback.js', import.meta.url));
const START_GATEWAY = fileURLToPath(
  new URL('../../examples/init-container/start-gateway.sh', import.meta.url),
);

/** From an outage or its end to the relay's verdict; and for a fleet of three to be given back. */
const RELAY_MS = 60_000;
/** `bootstrap` asks the control plane for 2 s here; the rest is Kong's start. */
const BOOTSTRAP_MS = 90_000;
/** Two confirmations of 10 s each, and the 10 s after which a session counts as silent. */
const SILENT_MS = 90_000;

/** What is promised, with whatever `kong` the installation names. */
export function scenarios(installation: () => Promise<KongInstallation>): void {
  let kong: KongInstallation;
  let version: string;
  let database: KongDatabase | undefined;
  let world: World;

  beforeAll(async () => {
    kong = await installation();
    version = await kongVersion(kong);
    database = new KongDatabase(kong);
    await database.create();
  });
  afterAll(() => database?.drop());
  beforeEach(async () => {
    world = await World.create(kong, version);
  });
  afterEach(() => world.end());

  /** A configuration was exported, and its control plane is gone without a word. */
  async function outage(): Promise<void> {
    const controlPlane = await world.controlPlane();
    await world.exportOnce();
    await controlPlane.kill();
  }

  /** `kongfallback bootstrap -- kong start`, which leaves the gateway in the background; what it said. */
  async function bootstrap({ node }: DataPlane): Promise<string> {
    const command = [process.execPath, BIN, 'bootstrap', '--', ...node.startCommand];
    const options = { env: node.env, cwd: world.site.directory, ms: BOOTSTRAP_MS };
    return runWell(command, options).catch((error: Error) => {
      throw new Error(`${error.message}\n${node.log()}`);
    });
  }

  it('cold data plane, control plane down: it starts from a file and proxies', async () => {
    await outage();
    const dataPlane = await world.dataPlane('cold');
    expect(await bootstrap(dataPlane)).toMatch(/"origin":"storage"/);
    await dataPlane.proxies();
  });

  it('cold data plane, control plane up: it is left to the control plane', async () => {
    await world.controlPlane();
    await world.exportOnce();
    const dataPlane = await world.dataPlane('cold');
    expect(await bootstrap(dataPlane)).toMatch(/"origin":"control-plane"/);
    await dataPlane.proxies();
    expect(existsSync(world.site.target)).toBe(false);
  });

  it('warm data plane that starts again, control plane down: it is left alone', async () => {
    const controlPlane = await world.controlPlane();
    const dataPlane = await world.dataPlane('warm');
    await dataPlane.node.start();
    await dataPlane.proxies();
    const hash = await dataPlane.hash();
    await world.exportOnce();
    await dataPlane.node.stop();
    await controlPlane.kill();
    expect(await bootstrap(dataPlane)).toMatch(/"origin":"node"/);
    await dataPlane.proxies();
    expect(await dataPlane.hash()).toBe(hash);
  });

  it('init container: from the snapshot when it is created, with what it has when it starts again', async () => {
    await outage();
    const dataPlane = await world.dataPlane('pod');
    const { node } = dataPlane;
    const folder = join(world.site.directory, 'shared');
    const init = await world.site.run(['bootstrap', '--init', folder]);
    expect(init.stdout, init.stderr).toMatch(/^origin: storage/m);
    const gateway = () =>
      runWell([START_GATEWAY, folder, ...node.startCommand], { env: node.env, ms: BOOTSTRAP_MS });
    expect(await gateway()).toContain('starts from a snapshot');
    await dataPlane.proxies();
    await node.kill();
    expect(await gateway()).not.toContain('starts from a snapshot');
    await dataPlane.proxies();
  });

  it('relay: a running data plane keeps its configuration, a new one gets it, and both return to 4 workers', async () => {
    const controlPlane = await world.controlPlane();
    await world.exportOnce();
    const relay = await world.relay();
    const verdict = (name: string, log: KongNode) =>
      inTime(`the relay holds that the control plane is ${name}`, relay.verdict(name), {
        ms: RELAY_MS,
        log: () => log.log(),
      });
    await verdict('up', controlPlane);
    const warm = await world.dataPlane('warm', relay.port);
    await warm.node.start();
    await warm.proxies();
    const hash = await warm.hash();
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const clients = warm.keepAsking(over.signal);
    await controlPlane.kill();
    await verdict('down', controlPlane);
    const cold = await world.dataPlane('cold', relay.port);
    await cold.node.start();
    await cold.proxies();
    expect(await cold.hash()).toBe(hash);

    const since = Math.floor(Date.now() / 1000);
    const returned = await world.controlPlane({ workers: 4 });
    await verdict('up', returned);
    await inTime('both are given back', relay.event('relay.handed-back'), {
      ms: RELAY_MS,
      log: () => returned.log(),
    });
    await world.admin.sees([warm.id, cold.id], since);
    over.abort();
    const { asked, others } = await clients;
    expect(others).toEqual([]);
    expect(asked).toBeGreaterThan(10);
    for (const dataPlane of [warm, cold]) {
      expect(await dataPlane.ask()).toBe(200);
      // The same configuration: nothing was loaded again.
      expect(await dataPlane.hash()).toBe(hash);
    }
    await world.admin.tag('changed-afterwards');
    await until(
      'a change reaches both',
      async () => {
        const hashes = await Promise.all([warm.hash(), cold.hash()]);
        return hashes.every((one) => one !== hash) || hashes.join();
      },
      { ms: RELAY_MS, log: () => returned.log() },
    );
  });

  it('a plugin that the exporter does not list: the silence is told, and ends with the plugin', async () => {
    const controlPlane = await world.controlPlane();
    const exporter = await world.exporter();
    const log = () => controlPlane.log();
    await inTime('the exporter publishes', exporter.event('export.published'), { ms: SILENT_MS, log });
    const plugin = await world.admin.enableOwnPlugin();
    const finds = async () => (await (await exporter.get('/status')).text()).includes('cp-silent');
    await until('the exporter finds cp-silent', async () => (await finds()) || 'no such finding', {
      ms: SILENT_MS,
      log,
    });
    await world.admin.disablePlugin(plugin);
    await until('the exporter takes it back', async () => !(await finds()) || 'cp-silent still', {
      ms: SILENT_MS,
      log,
    });
  });
}
