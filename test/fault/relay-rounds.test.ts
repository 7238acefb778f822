// Fifty outages of one control plane, which is killed each time: nobody is ever without a configuration, nobody gets
// one twice, and the relay grows by nothing.
import { afterEach, expect, it } from 'vitest';
import { RelayWorld } from '../e2e/relay-world.ts';

const ROUNDS = 50;
/** What the relay may grow by over forty rounds, once it has seen the first ten. */
const MOST_GROWTH_BYTES = 48 * 1_048_576;

let world: RelayWorld;
afterEach(() => world.end());

it('fifty rounds: served by the control plane, by the stand-in, by the control plane', async () => {
  world = await RelayWorld.create();
  let controlPlane = await world.controlPlaneProcess(1);
  const relay = await world.startRelay({ tripSeconds: 0.5 });
  await relay.verdict('up');
  const warm = world.live();
  await warm.at('control-plane');
  const resident: number[] = [];
  const framesOfNew: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await controlPlane.kill();
    await relay.verdict('down');
    const cold = world.live();
    await Promise.all([warm.at('stand-in'), cold.at('stand-in')]);
    controlPlane = await world.controlPlaneProcess(1);
    await relay.verdict('up');
    await Promise.all([warm.at('control-plane'), cold.at('control-plane')]);
    expect([controlPlane.saw(warm.nodeId), controlPlane.saw(cold.nodeId)]).toMatchObject([
      { fingerprint: world.fingerprint },
      { fingerprint: world.fingerprint },
    ]);
    const ofColdByStandIn = cold.visits.filter(({ origin }) => origin === 'stand-in').length;
    expect(ofColdByStandIn).toBeGreaterThan(0);
    expect(cold.hash).toBe(warm.hash);
    framesOfNew.push(cold.frames);
    await cold.stop();
    resident.push((await relay.metric('kongfallback_process_resident_memory_bytes')) ?? 0);
  }
  // One each: from the stand-in, which does not send again what somebody runs; and a control plane sends at each session.
  expect(warm.visits.every(({ hash }, index) => index === 0 || hash === warm.hash)).toBe(true);
  const fromControlPlane = warm.visits.filter(({ origin }) => origin === 'control-plane').length;
  expect(warm.frames).toBeLessThanOrEqual(fromControlPlane);
  expect(framesOfNew.every((frames) => frames >= 1)).toBe(true);
  // More where the machine itself lacked the time for an answer.
  expect(relay.events('relay.verdict', { verdict: 'down' }).length).toBeGreaterThanOrEqual(ROUNDS);
  expect(relay.events('relay.hand-back-failed')).toEqual([]);
  const [settled = 0] = resident.slice(9);
  expect(Math.max(...resident.slice(-5)) - settled).toBeLessThan(MOST_GROWTH_BYTES);
  expect(await relay.metric('kongfallback_relay_held_data_planes')).toBe(0);
  expect((await relay.stop()).code).toBe(0);
});
