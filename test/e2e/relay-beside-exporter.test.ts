// `kongfallback run` with export and relay in one settings file.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeFrame } from '../stand-in/frames.ts';
import { documentNumber } from './exported.ts';
import { expectNoSecret } from './refusal.ts';
import { RelayWorld } from './relay-world.ts';

/** Its settings have a data plane, too. */
const RUN = ['run', '--role', 'export', '--role', 'relay'];

let world: RelayWorld;
beforeEach(async () => {
  world = await RelayWorld.create({ export: { delaySeconds: 0, evidenceMarginSeconds: 0 } });
});
afterEach(() => world.end());

it('one process, one HTTP service, both roles, and an end in order', async () => {
  const controlPlane = await world.controlPlane(1);
  const both = await world.startRelay({}, {}, RUN);
  await both.ever('control-plane.up', { role: 'exporter' });
  await both.ever('relay.verdict', { role: 'relay', verdict: 'up' });
  expect(both.events('service.listening')).toHaveLength(1);
  expect(await both.status()).toMatchObject({ roles: [{ role: 'exporter' }, { role: 'relay' }] });

  controlPlane.setFrame(encodeFrame(documentNumber(2), { timestamp: Date.now() / 1000 }));
  const { configHash } = await both.ever('export.published');
  await controlPlane.close();
  await both.ever('relay.verdict', { verdict: 'down' });
  await both.ever('control-plane.down');
  await both.ever('relay.provision', { configHash });
  const cold = await world.dial();
  await cold.applied();
  expect([cold.origin, JSON.stringify(cold.document).includes('change-2')]).toEqual(['stand-in', true]);

  const result = await both.stop();
  expect(result.code).toBe(0);
  expect(both.events('export.stopped')).toHaveLength(1);
  expect(both.events('relay.stopped')).toHaveLength(1);
  expect(both.events('shutdown.part-failed')).toEqual([]);
  expectNoSecret(result, world.site.secrets);
});

it('a version that the stand-in sees is exported from then on, and served in the next outage', async () => {
  const both = await world.startRelay({}, { controlPlane: await world.nowhere() }, RUN);
  await both.ever('relay.verdict', { verdict: 'down' });
  const refused = await world.dial({ gatewayVersion: '3.8.1' });
  await refused.closed;
  expect(refused.frames).toEqual([]);
  await both.ever('export.version-learnt', { gatewayVersion: '3.8.1' });

  const controlPlane = await world.controlPlane(1);
  await both.ever('relay.verdict', { verdict: 'up' });
  await both.ever('export.published', { gatewayVersion: '3.8.1' });
  await controlPlane.close();
  await both.event('relay.provision', { gatewayVersion: '3.8.1' });
  const served = await world.dial({ gatewayVersion: '3.8.1' });
  await served.applied();
  expect([served.origin, served.frames.length]).toEqual(['stand-in', 1]);
});
