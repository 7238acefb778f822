// The relay with real processes and TLS: control plane up, killed, back; who served whom, in this order.
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { TestDataPlane } from '../stand-in/data-plane.ts';
import { encodeFrame } from '../stand-in/frames.ts';
import { documentNumber, exported } from './exported.ts';
import { RunningRelay } from './running-relay.ts';
import type { Site } from './site.ts';

const RELAY = {
  listen: '127.0.0.1:0',
  tripSeconds: 0.5,
  stableSeconds: 0.5,
  maxStableSeconds: 0.5,
  drainSeconds: 0,
  cacheDirectory: 'relay-cache',
};

let site: Site;
let relay: RunningRelay | undefined;
let controlPlane: StandInControlPlane | undefined;
/** The control plane comes back where it was. */
let port = 0;
const dataPlanes = new Set<TestDataPlane>();
/** What the control plane sends, and what the storage holds. */
const frame = (n: number) => encodeFrame(documentNumber(n), { timestamp: Date.now() / 1000 });

async function controlPlaneIsUp(n: number): Promise<StandInControlPlane> {
  controlPlane = await startStandInControlPlane({ certificate: site.certificate, frames: frame(n), port });
  port = controlPlane.port;
  return controlPlane;
}

async function dial(options: { hash?: string } = {}): Promise<TestDataPlane> {
  const dataPlane = await TestDataPlane.connect({
    port: relay?.port ?? 0,
    certificate: site.certificate,
    applyMs: 0,
    ...options,
  });
  dataPlanes.add(dataPlane);
  return dataPlane;
}

beforeEach(async () => {
  site = await exported({ settings: { relay: RELAY } }, [documentNumber(1)]);
});
afterEach(async () => {
  for (const dataPlane of dataPlanes) dataPlane.kill();
  dataPlanes.clear();
  await relay?.stop();
  relay = undefined;
  await controlPlane?.close();
  controlPlane = undefined;
  port = 0;
  site.remove();
});

describe('an outage', () => {
  it('control plane, stand-in, control plane: nobody is without', async () => {
    const first = await controlPlaneIsUp(1);
    site.pointAt(first.port);
    relay = await RunningRelay.start(site);
    await relay.verdict('up');

    const warm = await dial();
    await warm.applied();
    expect(warm.origin).toBe('control-plane');
    expect(first.requests.map(({ url }) => url).join()).toContain(warm.nodeId);

    await first.close();
    await warm.closed;
    await relay.verdict('down');
    const again = await dial({ hash: warm.configHash });
    const cold = await dial();
    await cold.applied();
    expect([again.origin, cold.origin]).toEqual(['stand-in', 'stand-in']);
    expect(cold.configHash).toBe(warm.configHash);
    expect(gunzipSync(cold.frames[0] ?? Buffer.alloc(0)).includes(documentNumber(1))).toBe(true);
    // It has the configuration already: not a byte of it was sent.
    expect(again.frames).toEqual([]);

    const second = await controlPlaneIsUp(1);
    await relay.verdict('up');
    await Promise.all([again.closed, cold.closed]);
    const both = await Promise.all([dial({ hash: again.configHash }), dial({ hash: cold.configHash })]);
    expect(both.map(({ origin }) => origin)).toEqual(['control-plane', 'control-plane']);
    expect(second.requests.length).toBeGreaterThanOrEqual(2);
  });
});
