import { ClusterCertificate, nodeIdOf, parseAddress } from '../../../src/kong/index.ts';
import { Findings, silentLogger } from '../../../src/observe/index.ts';
import type { Verdict } from '../../../src/relay/verdict.ts';
import { ControlPlaneWatch } from '../../../src/relay/watch/control-plane-watch.ts';
import { createLook } from '../../../src/relay/watch/look.ts';
import { OwnSession, sessionOpener } from '../../../src/relay/watch/own-session.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { recordedFrame } from '../../stand-in/frames.ts';
import { spread } from '../comparison.ts';
import type { Result } from '../result.ts';

const certificate = clusterCertificate();
const VERSION = '3.9.3';
/** Of an entire period of the looks, so that an outage may begin at any moment of it. */
const PERIOD_MS = 6000;
const NOTICED_MS = 1000;
const TRIPPED_MS = 15_000;

/** Milliseconds since the outage began. */
interface Times {
  readonly doubtful: number;
  readonly down: number;
}

/** From the moment that a control plane is gone to the relay's doubt, and to its verdict; default times. */
export async function relayDetection(rounds: number): Promise<Result[]> {
  const refused = await atOnce(rounds, (controlPlane) => controlPlane.close());
  const blackHole = await atOnce(rounds, async (controlPlane) => {
    controlPlane.behaviour = 'hang-tcp';
  });
  return [
    line('relay notices: refused connection', refused, 'doubtful', NOTICED_MS),
    line('relay trips: refused connection', refused, 'down', TRIPPED_MS),
    line('relay notices: black hole', blackHole, 'doubtful', TRIPPED_MS),
    line('relay trips: black hole', blackHole, 'down', TRIPPED_MS),
  ];
}

function line(name: string, times: readonly Times[], verdict: keyof Times, target: number): Result {
  const value = spread(times.map((one) => one[verdict]));
  // Not the median: one data plane that waits in vain is one too many.
  if (value.max > target) throw new Error(`${name}: ${Math.round(value.max)} ms of ${target}`);
  const against = `${times.length} outages, each at a random moment; none may take longer than the target`;
  return { name, entities: 72, unit: 'ms', value, target, against, cpuSeconds: null };
}

/** Relays with a control plane each: what they wait for costs no processor. */
function atOnce(rounds: number, end: (controlPlane: StandInControlPlane) => Promise<void>): Promise<Times[]> {
  return Promise.all(Array.from({ length: rounds }, () => outage(end)));
}

async function outage(end: (controlPlane: StandInControlPlane) => Promise<void>): Promise<Times> {
  const controlPlane = await startStandInControlPlane({ certificate, frames: recordedFrame('mixed') });
  const stop = new AbortController();
  const seen = new Map<Verdict, number>();
  let onChange = () => {};
  const until = async (verdict: Verdict) => {
    while (!seen.has(verdict)) await new Promise<void>((resolve) => (onChange = resolve));
    return seen.get(verdict) ?? Number.NaN;
  };
  const identity = {
    cluster: () => new ClusterCertificate(settings),
    controlPlane: () => settings,
    gatewayVersion: VERSION,
    nodeId: nodeIdOf('bench', VERSION, 'relay'),
    nodeHostname: 'relay',
    plugins: [],
    clock: systemClock,
  };
  const settings = { addresses: [controlPlane.address], ...certificate, mtls: 'shared' as const };
  const shared = { clock: systemClock, random: Math.random };
  const watch = new ControlPlaneWatch({
    ...shared,
    addresses: [parseAddress(controlPlane.address)],
    look: createLook(identity),
    form: 'service',
    tripMs: 3000,
    stableMs: 10_000,
    maxStableMs: 120_000,
    log: silentLogger,
    findings: new Findings(systemClock, silentLogger),
    onChange: (view, before) => {
      seen.set(view.verdict, systemClock.monotonic());
      session.changed(view, before);
      onChange();
    },
  });
  const session = new OwnSession({
    ...shared,
    open: sessionOpener(identity),
    view: () => watch.view(),
    lookNow: () => watch.lookNow(),
    alarms: watch.alarms,
  });
  const running = [watch.run(stop.signal), session.run(stop.signal)];
  try {
    await until('up');
    await systemClock.sleep(1000 + Math.random() * PERIOD_MS);
    // A busy machine makes it doubt before there is anything to doubt: that is no outage.
    while (watch.view().verdict !== 'up') await systemClock.sleep(100);
    seen.clear();
    const began = systemClock.monotonic();
    await end(controlPlane);
    return { doubtful: (await until('doubtful')) - began, down: (await until('down')) - began };
  } finally {
    stop.abort();
    await Promise.all(running);
    await controlPlane.close().catch(() => {});
  }
}
