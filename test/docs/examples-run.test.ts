// What the examples start, started: as their manifests lay it out, with other addresses and a directory as storage.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startStandInControlPlane } from '../stand-in/control-plane.ts';
import { TestDataPlane } from '../stand-in/data-plane.ts';
import { recordedFrame } from '../stand-in/frames.ts';
import { layOut } from './examples-layout.ts';
import { Manifests } from './examples-manifests.ts';
import { ROOT, read } from './repository.ts';

const CLI = fileURLToPath(new URL('./examples-cli.ts', import.meta.url));

/** The container of an example that runs kongfallback, beside a control plane that is up. */
async function laidOut(example: string) {
  const manifests = new Manifests(join(ROOT, 'examples', example), read('examples/relay-service/README.md'));
  const pod = manifests.deployments[0]?.spec.template.spec;
  const container = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])].find(
    ({ image }) => image === 'kongfallback',
  );
  if (pod === undefined || container === undefined) throw new Error(`${example} starts no kongfallback`);
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'kf-example-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const store = join(root, 'store');
  mkdirSync(store);
  const certificate = layOut(manifests, pod, container, root, (text) =>
    text.replace(/- \{ use: s3, .*\}/, `- { use: file, path: ${store} }`),
  );
  const controlPlane = await startStandInControlPlane({ certificate, frames: recordedFrame('mixed') });
  onTestFinished(() => controlPlane.close());
  return { root, container, certificate, controlPlane };
}

/** @param settings in place of those of the example */
function run(
  root: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): ChildProcess {
  const command = ['--import', 'tsx', '--conditions=kongfallback-source', CLI, ...args];
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      KONGFALLBACK_CONFIG: join(root, 'etc/kongfallback/config.yaml'),
      ...settings,
    },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

test.each(['relay-service', 'relay-sidecar'])(
  'examples/%s: a data plane is passed through, and the probes are answered',
  async (example) => {
    const { root, container, certificate, controlPlane } = await laidOut(example);
    const relay = run(root, container.args ?? [], {
      KONGFALLBACK_CONTROL_PLANE__ADDRESS: `127.0.0.1:${controlPlane.port}`,
      KONGFALLBACK_RELAY__LISTEN: '127.0.0.1:0',
      KONGFALLBACK_SERVICE__LISTEN: '127.0.0.1:0',
    });
    const ended = once(relay, 'exit');
    const addresses: Record<string, string> = {};
    const said: string[] = [];
    if (relay.stderr === null) throw new Error('the relay has no standard error');
    for await (const line of createInterface({ input: relay.stderr })) {
      said.push(line);
      if (!line.startsWith('{')) continue;
      const { event, address } = JSON.parse(line) as Record<string, string | undefined>;
      if (event !== undefined && address !== undefined) addresses[event] = address;
      if (event === 'relay.started') break;
    }
    const { 'relay.started': listen, 'service.listening': service } = addresses;
    expect(listen, said.join('\n')).toBeDefined();
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      if (probe === undefined) continue;
      const answer = await fetch(`http://${service}${probe.httpGet.path}`);
      expect([probe.httpGet.path, answer.status]).toEqual([probe.httpGet.path, 200]);
    }
    const port = Number(listen?.split(':').at(-1));
    const dataPlane = await TestDataPlane.connect({ port, certificate, applyMs: 0 });
    await dataPlane.applied();
    expect(dataPlane.origin).toBe('control-plane');
    await dataPlane.close();
    relay.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
);

test('examples/init-container: the gateway is told what to start with, for each answer of the control plane', async () => {
  const { root, container, controlPlane } = await laidOut('init-container');
  const args = (container.args ?? []).map((arg) => (arg.startsWith('/') ? join(root, arg) : arg));
  const folder = args.at(-1) ?? '';
  for (const [address, origin] of [
    [`127.0.0.1:${controlPlane.port}`, /^origin: control-plane/m],
    ['127.0.0.1:1', /KF_RESTORE_FAILED/],
  ] as const) {
    const init = run(root, args, {
      KONGFALLBACK_CONTROL_PLANE__ADDRESS: address,
      KONGFALLBACK_BOOTSTRAP__WAIT_SECONDS: '0',
    });
    let output = '';
    for (const stream of [init.stdout, init.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    expect(await once(init, 'close'), output).toEqual([0, null]);
    expect(output).toMatch(origin);
    expect(readFileSync(join(folder, 'env.sh'), 'utf8')).toContain('KONG_DECLARATIVE_CONFIG');
    expect(existsSync(join(folder, 'kong.json'))).toBe(false);
  }
});
