// What kongfallback costs at the store: requests counted at an S3 server.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { READER, S3Double, type S3Request, WRITER } from '../s3/double.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { documentNumber, frameOf } from './exported.ts';
import { expectNoSecret } from './refusal.ts';
import { Site } from './site.ts';

let s3: S3Double;
let controlPlane: StandInControlPlane;
let exporter: Site;

beforeEach(async () => {
  s3 = await new S3Double().start();
  exporter = new Site({ storages: [storage(WRITER)] });
  controlPlane = await startStandInControlPlane({ certificate: exporter.certificate });
  exporter.pointAt(controlPlane.port);
});
afterEach(async () => {
  await controlPlane.close();
  await s3.close();
  exporter.remove();
});

const storage = (credentials: object) => ({
  use: 's3',
  bucket: s3.bucket,
  endpoint: s3.endpoint,
  prefix: 'fleet',
  ...credentials,
});

interface Counted {
  readonly outcome: unknown;
  readonly probe: readonly S3Request[];
  readonly puts: readonly string[];
  readonly gets: readonly string[];
  readonly others: readonly S3Request[];
}

async function exportOnce(document: Buffer, ageSeconds = 60): Promise<Counted> {
  controlPlane.setFrame(frameOf(document, ageSeconds));
  s3.requests.length = 0;
  const result = await exporter.run(['export', '--once', '--json']);
  expect(result.code, result.stderr).toBe(0);
  expectNoSecret(result, exporter.secrets);
  const isProbe = ({ key }: S3Request) => key.includes('.kongfallback-probe-');
  const real = s3.requests.filter((request) => !isProbe(request));
  const keys = (operation: string) =>
    real.filter((request) => request.operation === operation).map(({ key }) => key);
  const [line] = (result.json() as { lines: { outcome: unknown }[] }).lines;
  return {
    outcome: line?.outcome,
    probe: s3.requests.filter(isProbe),
    puts: keys('put'),
    gets: keys('get'),
    others: real.filter(({ operation }) => operation !== 'put' && operation !== 'get'),
  };
}

/** Of the default `export.confirmSchedule`. */
const CONFIRM_INTERVAL_MS = 600_000;
const HEAD = 'fleet/3.9.3/head.json';
const snapshot = expect.stringMatching(/^fleet\/3\.9\.3\/snapshots\/[0-9a-f]{16}-[0-9a-f]{16}\.kfs$/);

it('a first export and a change cost 2 PUTs each, snapshot before head, and read the head back', async () => {
  for (const n of [1, 2]) {
    const { outcome, puts, gets, others } = await exportOnce(documentNumber(n), 60 / n);
    expect(outcome).toBe('published');
    expect(puts).toEqual([snapshot, HEAD]);
    expect(gets).toEqual([HEAD, HEAD]);
    expect(others).toEqual([]);
  }
});

it('no change costs no PUT, and the head alone when its confirmation is due', async () => {
  await exportOnce(documentNumber(1));
  const unchanged = await exportOnce(documentNumber(1));
  expect(unchanged).toMatchObject({ outcome: 'unchanged', puts: [], gets: [HEAD], others: [] });

  const later = await new S3Double({ clockOffsetMs: CONFIRM_INTERVAL_MS + 1000 }).start();
  for (const [key, object] of s3.objects) later.objects.set(key, object);
  await s3.close();
  s3 = later;
  exporter.configure({ storages: [storage(WRITER)] });
  const due = await exportOnce(documentNumber(1));
  expect(due).toMatchObject({ outcome: 'confirmed', puts: [HEAD], gets: [HEAD, HEAD], others: [] });
});

it('the probe of the store is bounded and leaves nothing behind', async () => {
  const { probe } = await exportOnce(documentNumber(1));
  expect(probe.length).toBeGreaterThan(0);
  expect(probe.length).toBeLessThanOrEqual(8);
  expect(probe.at(-1)?.operation).toBe('delete');
  expect([...s3.objects.keys()].filter((key) => key.includes('probe'))).toEqual([]);
  expect(s3.objects.size).toBe(2);
});

it('a bootstrap costs 2 GETs with GetObject rights only, and none while the control plane answers', async () => {
  await exportOnce(documentNumber(1));
  const node = exporter.copy({ storages: [storage(READER)] });
  node.pointAt(controlPlane.port);
  s3.requests.length = 0;
  const spared = await node.run(['bootstrap', '--once', '--json']);
  expect(spared.json()).toMatchObject({ origin: 'control-plane' });
  expect(s3.requests).toEqual([]);

  await controlPlane.close();
  const result = await node.run(['bootstrap', '--once', '--json']);
  expect(result.code, result.stderr).toBe(0);
  expect(result.json()).toMatchObject({ origin: 'storage', requests: { heads: 1, snapshots: 1 } });
  expect(s3.requests.map(({ operation, key }) => [operation, key])).toEqual([
    ['get', HEAD],
    ['get', snapshot],
  ]);
  expect(s3.requests.every(({ accessKeyId }) => accessKeyId === READER.accessKeyId)).toBe(true);
  expect(readFileSync(node.target).equals(documentNumber(1))).toBe(true);
  expectNoSecret(result, node.secrets);

  s3.requests.length = 0;
  const again = await node.run(['bootstrap', '--once', '--json']);
  expect(again.json()).toMatchObject({ origin: 'storage' });
  expect(
    s3.requests.map(({ key }) => key),
    'the snapshot is in the cache',
  ).toEqual([HEAD]);
  node.remove();
});
