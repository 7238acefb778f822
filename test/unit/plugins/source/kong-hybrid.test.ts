import { afterEach, describe, expect, test } from 'vitest';
import kongHybrid from '../../../../plugins/source/kong-hybrid/index.ts';
import { KongHybridSource } from '../../../../plugins/source/kong-hybrid/kong-hybrid-source.ts';
import { bundledPlugins } from '../../../../src/kong/bundled-plugins.ts';
import { readFrame } from '../../../../src/kong/frame.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { clusterCertificate } from '../../../stand-in/certificates.ts';
import { type StandInOptions, startStandInControlPlane } from '../../../stand-in/control-plane.ts';
import { recordedFile, recordedFrame } from '../../../stand-in/frames.ts';

const certificate = clusterCertificate();
const signal = new AbortController().signal;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function standIn(options: Partial<StandInOptions> = {}) {
  const frames = recordedFrame('control-plane/mixed/frame-1');
  const one = await startStandInControlPlane({ certificate, frames, ...options });
  closing.push(() => one.close());
  return one;
}

async function source(address: string, given: object = {}) {
  const checked = await kongHybrid.settings['~standard'].validate(given);
  if (checked.issues) throw new Error(JSON.stringify(checked.issues));
  const controlPlane = { addresses: [address], ...certificate, mtls: 'shared' as const };
  const context = pluginContext({ clock: new FakeClock({ now: Date.now() }) });
  return new KongHybridSource({ ...checked.value, controlPlane, instance: 'exporter-1' }, context);
}

async function open(address: string, gatewayVersion = '3.9.3', given: object = {}) {
  const session = await (await source(address, given)).open({ gatewayVersion, signal });
  closing.push(() => session.close());
  return session;
}

describe('settings', () => {
  test.each([
    [{ pluginz: [] }],
    [{ plugins: 'key-auth' }],
    [{ silenceSeconds: 0 }],
    [{ maxPayloadBytes: 10 }],
    [{ nodeId: 'x' }],
    [{ labels: { a: 1 } }],
  ])('%j is refused', async (given) => {
    expect((await kongHybrid.settings['~standard'].validate(given)).issues).toBeDefined();
  });

  test('without a control plane it does not start, and says what to set', () => {
    const make = () => kongHybrid.create({} as never, pluginContext());
    expect(make).toThrow(
      expect.objectContaining({ kind: 'invalid', hint: expect.stringContaining('controlPlane') }),
    );
  });
});

test('a refusal passes through with its kind and code', async () => {
  const controlPlane = await standIn({ behaviour: 'reset-tls' });
  await expect(open(controlPlane.address)).rejects.toMatchObject({
    kind: 'denied',
    code: 'KF_CP_CERTIFICATE_REFUSED',
  });
  controlPlane.behaviour = 'refuse';
  const { configurations } = await open(controlPlane.address);
  await expect(configurations[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'KF_CP_REFUSED',
  });
});

test('yields frames of a control plane', async () => {
  const controlPlane = await standIn();
  const { configurations } = await open(controlPlane.address);
  for await (const received of configurations) {
    expect(received).toMatchObject({ form: 'frame', ordinal: 1, fromControlPlane: true });
    expect(received.peerTime).toBeTypeOf('number');
    expect(received.receivedAt).toBeTypeOf('number');
    expect(readFrame(received.bytes).configHash).toBe('efc54e13b9dcea24a87f55f3ba401936');
    break;
  }
});

test('asks for the version it is opened for, under a stable id of its own for each', async () => {
  const controlPlane = await standIn();
  await open(controlPlane.address, '3.9.3');
  await open(controlPlane.address, '3.9.3');
  await open(controlPlane.address, '3.8.1');
  const queries = controlPlane.requests.map(({ url }) => new URL(url, 'http://x').searchParams);
  expect(queries.map((query) => query.get('node_version'))).toEqual(['3.9.3', '3.9.3', '3.8.1']);
  const [first, again, other] = queries.map((query) => query.get('node_id'));
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test('lists custom plugins once beside the bundled ones, or only those given', async () => {
  const controlPlane = await standIn();
  const listed = () =>
    (controlPlane.basicInfos.at(-1)!['plugins'] as { name: string }[]).map(({ name }) => name);
  const seen = async (given: object) => {
    const { configurations } = await open(controlPlane.address, '3.9.3', given);
    await configurations[Symbol.asyncIterator]().next();
    return listed();
  };
  expect(await seen({ additionalPlugins: ['acl', 'mine'] })).toEqual([...bundledPlugins('3.9.3'), 'mine']);
  expect(await seen({ plugins: ['acl'] })).toEqual(['acl']);
});

test.each<[string, string]>([
  ['3.9.3', 'data-plane/basic-info.json'],
  ...['3.4.2', '3.5.0', '3.6.1', '3.7.1', '3.8.1'].map((v): [string, string] => [
    v,
    `older-versions/${v}/basic-info.json`,
  ]),
])('the plugins of %s are those that a real one lists', (version, path) => {
  const { plugins } = JSON.parse(recordedFile(path).toString()) as { plugins: { name: string }[] };
  expect(bundledPlugins(version)).toEqual(plugins.map(({ name }) => name).sort());
});

test('a version not known yet has the newest list', () => {
  expect(bundledPlugins('3.14.0')).toEqual(bundledPlugins('3.9.3'));
  expect(bundledPlugins('4.0.0')).toEqual(bundledPlugins('3.9.3'));
});
