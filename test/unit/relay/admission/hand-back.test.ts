import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../../src/observe/index.ts';
import type { Logger } from '../../../../src/plugin/plugin.ts';
import { HandBack } from '../../../../src/relay/admission/hand-back.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

/** Data planes that leave when they are let go, come back 8 s later, and are admitted `perSecond` at a time. */
function fleet(clock: FakeClock, count: number, most = Number.POSITIVE_INFINITY) {
  const releases: { at: number; count: number }[] = [];
  let held = count;
  let admitted = 0;
  const back: { at: number; count: number }[] = [];
  const arrive = () => {
    for (const arrival of back.splice(0)) {
      if (arrival.at > clock.monotonic()) back.push(arrival);
      else {
        const through = Math.min(arrival.count, most);
        admitted += through;
        held += arrival.count - through;
      }
    }
  };
  return {
    releases,
    dial: () => {
      held++;
    },
    held: () => {
      arrive();
      return held;
    },
    admitted: () => {
      arrive();
      return admitted;
    },
    release: (wanted: number) => {
      const released = Math.min(held, wanted);
      held -= released;
      if (released > 0) {
        releases.push({ at: clock.monotonic(), count: released });
        back.push({ at: clock.monotonic() + 8000, count: released });
      }
      return released;
    },
  };
}

interface Setup {
  readonly form?: 'service' | 'sidecar';
  readonly random?: number;
  readonly log?: Logger;
}

/** Runs for `seconds` of the clock, then the control plane goes down again. */
async function handBack(
  clock: FakeClock,
  dataPlanes: ReturnType<typeof fleet>,
  seconds: number,
  setup: Setup = {},
) {
  const { form = 'service', random = 0.5, log = silentLogger } = setup;
  const down = new AbortController();
  const running = new HandBack({
    form,
    windowMs: 60_000,
    ...dataPlanes,
    clock,
    random: () => random,
    log,
  }).run(down.signal);
  running.catch(() => {});
  for (let second = 0; second < seconds; second++) await clock.advance(1000);
  down.abort();
  await expect(running).rejects.toMatchObject({ kind: 'aborted' });
}

describe('handing back', () => {
  test('nobody held: nothing said', async () => {
    const lines: unknown[] = [];
    const log = { ...silentLogger, info: (line: unknown) => lines.push(line) } as Logger;
    const clock = new FakeClock();
    await handBack(clock, fleet(clock, 0), 60, { log });
    expect(lines).toEqual([]);
  });

  test('a service lets at most 250 go each second, without waiting, and says so twice', async () => {
    const events: unknown[] = [];
    const log = { ...silentLogger, info: (line: { event?: string }) => events.push(line.event) } as Logger;
    const clock = new FakeClock();
    const dataPlanes = fleet(clock, 600);
    await handBack(clock, dataPlanes, 60, { log });
    expect(dataPlanes.releases.map(({ count }) => count)).toEqual([250, 250, 100]);
    const [first, last] = [dataPlanes.releases[0]?.at ?? 0, dataPlanes.releases[2]?.at ?? 0];
    expect(last - first).toBe(2000);
    expect(events).toEqual(['relay.hand-back', 'relay.handed-back']);
  });

  test('those that the door sends back are let go at the pace of those that went through', async () => {
    const clock = new FakeClock();
    const dataPlanes = fleet(clock, 100, 20);
    await handBack(clock, dataPlanes, 300);
    const counts = dataPlanes.releases.map(({ count }) => count);
    expect(counts[0]).toBe(100);
    expect(counts[1]).toBeLessThanOrEqual(40);
    expect(dataPlanes.admitted()).toBe(100);
    expect(dataPlanes.held()).toBe(0);
  });

  test('also one that the door sends to the stand-in later', async () => {
    const clock = new FakeClock();
    const dataPlanes = fleet(clock, 0);
    const later = clock.sleep(30_000).then(() => dataPlanes.dial());
    await handBack(clock, dataPlanes, 60);
    await later;
    expect(dataPlanes.admitted()).toBe(1);
  });

  test('a sidecar waits for its moment in the window', async () => {
    const clock = new FakeClock();
    const dataPlanes = fleet(clock, 1);
    const startedAt = clock.monotonic();
    await handBack(clock, dataPlanes, 70, { form: 'sidecar', random: 0.75 });
    expect((dataPlanes.releases[0]?.at ?? 0) - startedAt).toBe(45_000);
  });

  test('the control plane goes down again before that moment: nobody is let go', async () => {
    const clock = new FakeClock();
    const dataPlanes = fleet(clock, 1);
    await handBack(clock, dataPlanes, 40, { form: 'sidecar', random: 0.75 });
    expect(dataPlanes.releases).toEqual([]);
  });
});
