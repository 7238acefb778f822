import { beforeEach, describe, expect, it } from 'vitest';
import { Admission, type AdmissionTicket } from '../../../../src/relay/admission/admission.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { randomAt } from '../../../bench/random.ts';
import { errorOf } from '../../snapshot/sample-head.ts';
import { dataPlane, ModelControlPlane, type Spread } from './admission-control-plane.ts';

let clock: FakeClock;
let admission: Admission;

beforeEach(() => {
  clock = new FakeClock();
  admission = new Admission({ clock });
});

const { signal } = new AbortController();
const enter = (waitMs = 4000) => admission.enter({ waitMs, signal });

async function mustEnter(): Promise<AdmissionTicket> {
  const ticket = await enter(0);
  if (ticket === undefined) throw new Error('no room');
  return ticket;
}

/** Lets it have a limit of at least so many. */
async function grownTo(limit: number): Promise<void> {
  while (admission.state().limit < limit) {
    const tickets: AdmissionTicket[] = [];
    for (let ticket = await enter(0); ticket !== undefined; ticket = await enter(0)) tickets.push(ticket);
    for (const ticket of tickets) ticket.carried(6);
  }
}

describe('no place', () => {
  it('at once, for whoever does not wait', async () => {
    await mustEnter();
    expect(await enter(0)).toBeUndefined();
  });

  it('after waitMs, and then nothing is left of it', async () => {
    const ticket = await mustEnter();
    const waiting = enter(4000);
    await clock.advance(4000);
    expect(await waiting).toBeUndefined();
    ticket.release();
    expect(admission.state()).toEqual({ limit: 1, inFlight: 0, waiting: 0, admitted: 1 });
    expect(clock.sleeping).toBe(0);
  });

  it('for one that left while it waited, or before', async () => {
    const gone = new AbortController();
    const ticket = await mustEnter();
    const waiting = errorOf(() => admission.enter({ waitMs: 4000, signal: gone.signal }));
    gone.abort();
    expect((await waiting).kind).toBe('aborted');
    expect((await errorOf(() => admission.enter({ waitMs: 4000, signal: gone.signal }))).kind).toBe(
      'aborted',
    );
    ticket.release();
    expect(admission.state()).toMatchObject({ inFlight: 0, waiting: 0, admitted: 1 });
  });

  it('for nobody who came later', async () => {
    const ticket = await mustEnter();
    const order: string[] = [];
    const arrive = (name: string) =>
      void enter().then((got) => {
        order.push(name);
        got?.release();
      });
    for (const name of ['first', 'second', 'third']) arrive(name);
    ticket.release();
    await clock.advance(0);
    expect(order).toEqual(['first', 'second', 'third']);
  });
});

describe('a ticket', () => {
  it('that nobody settles ends after 5 s, and only one is let in from then on', async () => {
    await grownTo(8);
    await mustEnter();
    await clock.advance(5000);
    expect(admission.state()).toMatchObject({ limit: 1, inFlight: 0 });
    expect(clock.sleeping).toBe(0);
  });

  it('is settled once', async () => {
    await grownTo(8);
    const ticket = await mustEnter();
    ticket.refused();
    const { limit } = admission.state();
    expect(limit).toBeLessThan(8);
    ticket.refused();
    ticket.carried(1);
    ticket.release();
    await clock.advance(6000);
    expect(admission.state()).toMatchObject({ limit, inFlight: 0 });
  });

  it('that is released says nothing about the control plane', async () => {
    await grownTo(8);
    const { limit } = admission.state();
    for (let n = 0; n < 20; n++) (await mustEnter()).release();
    expect(admission.state().limit).toBe(limit);
  });

  it('of before a restart is not waited for, and not judged by', async () => {
    await grownTo(8);
    const before: AdmissionTicket[] = [];
    while (admission.state().inFlight < admission.state().limit) before.push(await mustEnter());
    const waiting = enter();
    admission.restart();
    expect(admission.state()).toMatchObject({ limit: 1, inFlight: 1 });
    const [late, refused] = before;
    late?.carried(1);
    refused?.refused();
    await clock.advance(4999);
    expect(admission.state()).toMatchObject({ limit: 1, inFlight: 1 });
    (await waiting)?.refused();
    expect(admission.state()).toMatchObject({ limit: 1, inFlight: 0, waiting: 0 });
  });
});

it('while one answer is overdue the others go one at a time', async () => {
  await grownTo(8);
  await mustEnter();
  await clock.advance(51);
  const second = await mustEnter();
  expect(await enter(0)).toBeUndefined();
  second.carried(6);
  await mustEnter();
  await clock.advance(51);
  expect(await enter(0)).toBeDefined();
});

it('who waits behind an answer that becomes overdue is let in with the next arrival', async () => {
  await grownTo(8);
  await mustEnter();
  await clock.advance(51);
  await mustEnter();
  const waiting = enter();
  await clock.advance(51);
  const later = enter(0);
  expect(await waiting).toBeDefined();
  expect(await later).toBeUndefined();
});

describe('500 data planes return', () => {
  const HERD = 500;

  async function returns(options: { workers: number; warm?: boolean; spread?: Spread; seed: number }) {
    const next = randomAt(options.seed, 0);
    const random = () => next() / 2 ** 32;
    const controlPlane = new ModelControlPlane({ ...options, clock, random });
    const herd = { admission, clock, controlPlane, random };
    const startedAt = clock.monotonic();
    let lastAt = Number.POSITIVE_INFINITY;
    const all = Array.from({ length: HERD }, async () => {
      await clock.sleep(random() * 1000);
      return dataPlane(herd);
    });
    void Promise.all(all).then((times) => {
      lastAt = Math.max(...times);
    });
    while (lastAt === Number.POSITIVE_INFINITY && clock.monotonic() - startedAt < 60_000)
      await clock.advance(500);
    const exports = controlPlane.workers.map((worker) => worker.exports);
    return { seconds: (lastAt - startedAt) / 1000, exports, most: Math.max(...exports) };
  }

  const SEEDS = [1, 2, 3, 4, 5];

  it.each(SEEDS)('to one warm worker: in the 3 s that their answers take, seed %i', async (seed) => {
    const { exports, seconds } = await returns({ workers: 1, warm: true, seed });
    expect(exports).toEqual([0]);
    expect(seconds).toBeLessThan(4);
    expect(admission.state()).toMatchObject({ inFlight: 0, waiting: 0, admitted: HERD });
  });

  it.each(SEEDS.flatMap((seed) => [[seed, 'random'] as const, [seed, 'idlest'] as const]))(
    'to four cold workers: at most two exports each, within 5 s, seed %i, %s',
    async (seed, spread) => {
      const { most, seconds } = await returns({ workers: 4, spread, seed });
      expect(most).toBeLessThanOrEqual(2);
      expect(seconds).toBeLessThan(5);
    },
  );

  it.each(SEEDS)(
    'to sixteen cold workers: one export each and a handful for those met late, within 30 s, seed %i',
    async (seed) => {
      const { exports, most, seconds } = await returns({ workers: 16, seed });
      expect(most).toBeLessThanOrEqual(16);
      expect(exports.reduce((sum, count) => sum + count, 0)).toBeLessThan(50);
      expect(seconds).toBeLessThan(30);
    },
  );

  it('without an admission the model does what was seen: hundreds of exports', async () => {
    const random = () => 0.3;
    const controlPlane = new ModelControlPlane({ workers: 1, clock, random });
    void Promise.all(Array.from({ length: HERD }, () => controlPlane.connect()));
    await clock.advance(0);
    expect(controlPlane.exports).toBe(HERD);
  });
});
