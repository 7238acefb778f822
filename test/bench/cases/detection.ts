import { Site } from '../../e2e/site.ts';
import { type Behaviour, startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { recordedFrame } from '../../stand-in/frames.ts';
import { spread } from '../comparison.ts';
import type { Result } from '../result.ts';

/** How a control plane may be gone, and the longest that a node may take to turn to storage. Milliseconds. */
const WAYS: readonly (readonly [string, Behaviour | 'closed', number])[] = [
  ['refused connection', 'closed', 1000],
  ['accepts, then nothing', 'hang-tcp', 15_000],
  ['TLS, then nothing', 'hang-tls', 15_000],
  ['connected and silent', 'silent', 15_000],
];

/** From the start of a bootstrap's probe to its verdict, with the default times. */
export async function detection(rounds: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, behaviour, target] of WAYS) {
    const site = new Site({ bootstrap: { probeSeconds: 10 } });
    const controlPlane = await startStandInControlPlane({
      certificate: site.certificate,
      frames: recordedFrame('mixed'),
    });
    site.pointAt(controlPlane.port);
    try {
      await site.run(['export', '--once']);
      if (behaviour === 'closed') await controlPlane.close();
      else controlPlane.behaviour = behaviour;
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const outcome = (await site.run(['bootstrap', '--once', '--json'])).json() as {
          origin: string;
          timings: { probeMs: number };
        };
        if (outcome.origin === 'control-plane') throw new Error(`${name}: taken for a living control plane`);
        times.push(outcome.timings.probeMs);
      }
      results.push({
        name: `node turns to storage: ${name}`,
        entities: 72,
        unit: 'ms',
        value: spread(times),
        target,
        against: 'from the start of the probe, wall clock',
        cpuSeconds: null,
      });
    } finally {
      await controlPlane.close();
      site.remove();
    }
  }
  return results;
}
