import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EMPTY_HASH, peekFrame } from '../../../../src/kong/index.ts';
import { Findings, silentLogger } from '../../../../src/observe/index.ts';
import type { ControlPlaneView, Verdict } from '../../../../src/relay/verdict.ts';
import { Alarms } from '../../../../src/relay/watch/alarms.ts';
import { OwnSession, sessionOpener } from '../../../../src/relay/watch/own-session.ts';
import type { StandInControlPlane, StandInOptions } from '../../../stand-in/control-plane.ts';
import { cluster, mixed, standIn, stoppedClock } from '../../kong/session-fixture.ts';

const HASH = peekFrame(mixed).configHash;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** The session of a relay whose watch says what the test says. */
class Held {
  readonly clock = stoppedClock();
  readonly alarms = new Alarms(new Findings(this.clock, silentLogger));
  readonly session: OwnSession;
  readonly opened: string[] = [];
  hints = 0;
  readonly controlPlane: StandInControlPlane;
  view: ControlPlaneView;
  #opener: ReturnType<typeof sessionOpener>;

  constructor(controlPlane: StandInControlPlane) {
    this.controlPlane = controlPlane;
    this.view = view('up', controlPlane.address);
    this.#opener = sessionOpener({
      controlPlane: () => ({ addresses: ['elsewhere:1'], ...cluster, mtls: 'shared' }),
      gatewayVersion: '3.9.3',
      nodeId: '7f3b8f4e-0000-5000-8000-00000000000a',
      nodeHostname: 'relay-1',
      plugins: ['key-auth'],
      clock: this.clock,
    });
    this.session = new OwnSession({
      open: (address, signal) => {
        this.opened.push(address);
        return this.#opener(address, signal);
      },
      view: () => this.view,
      lookNow: () => {
        this.hints++;
      },
      alarms: this.alarms,
      clock: this.clock,
      random: () => 0.5,
    });
  }

  run(): this {
    const stop = new AbortController();
    const done = this.session.run(stop.signal);
    ends.push(async () => {
      stop.abort();
      await done;
      await vi.waitFor(() => expect(this.controlPlane.open).toBe(0));
      expect(this.clock.sleeping).toBe(0);
    });
    return this;
  }

  change(verdict: Verdict): void {
    const before = this.view;
    this.view = view(verdict, this.controlPlane.address);
    this.session.changed(this.view, before);
  }

  get codes(): string[] {
    return this.alarms.list().map(({ message }) => /KF_\w+/.exec(message)?.[0] ?? message);
  }
}

function view(verdict: Verdict, address: string): ControlPlaneView {
  return { verdict, since: 0, reason: 'test', message: 'test', address };
}

async function held(options: Partial<StandInOptions> = {}): Promise<Held> {
  return new Held(await standIn(options)).run();
}

describe('it is refused, and that is an alarm and no hint', () => {
  test.each<[string, Partial<StandInOptions>]>([
    ['KF_CP_REFUSED', { behaviour: 'refuse' }],
    ['KF_CP_TEXT_FRAME', { behaviour: 'text-frame' }],
    ['KF_CP_BAD_REQUEST', { status: 400 }],
    ['KF_CP_CERTIFICATE_REFUSED', { behaviour: 'reset-tls' }],
  ])('%s', async (code, options) => {
    const one = await held(options);
    await vi.waitFor(() => expect(one.codes).toEqual([code]));
    expect(one.alarms.list()).toMatchObject([{ about: one.controlPlane.address, hint: expect.any(String) }]);
    expect(one.hints).toBe(0);
  });

  test('silence with pongs', async () => {
    const one = await held({ behaviour: 'silent' });
    await once(one.controlPlane, 'ping');
    for (let n = 0; n < 6; n++) {
      await vi.waitFor(() => expect(one.controlPlane.pings.length).toBeGreaterThan(n));
      await one.clock.advance(30_000);
    }
    await vi.waitFor(() => expect(one.codes).toEqual(['KF_CP_SILENT']));
    expect(one.hints).toBe(0);
  });

  test('it is over with the first configuration, and not before', async () => {
    const one = await held({ behaviour: 'refuse' });
    await vi.waitFor(() => expect(one.codes).toEqual(['KF_CP_REFUSED']));
    one.alarms.passed(one.controlPlane.address, 'upgrade');
    expect(one.codes).toEqual(['KF_CP_REFUSED']);
    one.controlPlane.behaviour = 'normal';
    await vi.waitFor(() => expect(one.clock.sleeping).toBe(1));
    await one.clock.advance(10_000);
    await vi.waitFor(() => expect(one.codes).toEqual([]));
  });
});

describe('its end is a hint to look', () => {
  test('cut', async () => {
    const one = await held();
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
    await one.controlPlane.close();
    await vi.waitFor(() => expect(one.hints).toBe(1));
    expect(one.session.configHash()).toBeUndefined();
    expect(one.codes).toEqual([]);
  });

  test('closed in order', async () => {
    const one = await held();
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
    for (const client of one.controlPlane.clients) client.close();
    await vi.waitFor(() => expect(one.hints).toBe(1));
  });

  test('no session at all', async () => {
    const one = await held({ status: 502 });
    await vi.waitFor(() => expect(one.hints).toBe(1));
    expect(one.codes).toEqual([]);
  });
});

describe('while the control plane is up', () => {
  test('it is attached as a relay, with the address that answers', async () => {
    const one = await held();
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
    expect(one.opened).toEqual([one.controlPlane.address]);
    expect(one.controlPlane.basicInfos).toMatchObject([
      { labels: { 'kongfallback-role': 'relay' }, plugins: [{ name: 'key-auth' }] },
    ]);
    expect(one.controlPlane.pings).toEqual([EMPTY_HASH]);
  });

  test('it follows what the control plane has', async () => {
    const one = await held();
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
    one.controlPlane.setFrame(Buffer.from('no frame'));
    await vi.waitFor(() => expect(one.session.configHash()).toBeUndefined());
  });

  test('it reconnects after 5 to 10 s, then more and more slowly, to a minute', async () => {
    const one = await held({ status: 502 });
    const pauses: number[] = [];
    for (let n = 0; n < 5; n++) {
      await vi.waitFor(() => expect(one.clock.sleeping).toBe(1));
      const from = one.clock.monotonic();
      while (one.opened.length === n + 1) await one.clock.advance(500);
      pauses.push((one.clock.monotonic() - from) / 1000);
      await vi.waitFor(() => expect(one.hints).toBe(n + 2));
    }
    expect(pauses).toEqual([7.5, 15, 30, 45, 45]);
  });

  test('doubt does not end it', async () => {
    const one = await held();
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
    one.change('doubtful');
    one.change('up');
    expect(one.controlPlane.open).toBe(1);
    expect(one.session.configHash()).toBe(HASH);
  });
});

describe('while it is not', () => {
  test.each(['unknown', 'doubtful', 'down'] as const)(
    '%s: there is no session, and one at once when it is up',
    async (verdict) => {
      const one = new Held(await standIn());
      one.view = view(verdict, one.controlPlane.address);
      one.run();
      await one.clock.advance(60_000);
      expect(one.opened).toEqual([]);
      one.change('up');
      await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
    },
  );

  test('down ends it; up again it is attached without a pause', async () => {
    const one = await held();
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
    one.change('down');
    await vi.waitFor(() => expect(one.controlPlane.open).toBe(0));
    expect(one.session.configHash()).toBeUndefined();
    expect(one.hints).toBe(0);
    one.change('up');
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
  });

  test('a pause ends when the control plane is back', async () => {
    const one = await held({ behaviour: 'refuse' });
    await vi.waitFor(() => expect(one.codes).toEqual(['KF_CP_REFUSED']));
    await vi.waitFor(() => expect(one.clock.sleeping).toBe(1));
    one.controlPlane.behaviour = 'normal';
    one.change('down');
    one.change('up');
    await vi.waitFor(() => expect(one.session.configHash()).toBe(HASH));
  });
});
