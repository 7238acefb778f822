import { describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import { Relay, type RelayDependencies } from '../../../src/relay/relay.ts';
import { OpenTunnels } from '../../../src/relay/tunnel/open-tunnels.ts';
import type { ControlPlaneView, Verdict } from '../../../src/relay/verdict.ts';
import { aborted } from '../../../src/resilience/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

const view = (verdict: Verdict): ControlPlaneView => ({
  verdict,
  since: 0,
  reason: '',
  message: '',
  address: undefined,
});

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(aborted(signal));
    signal.addEventListener('abort', () => reject(aborted(signal)), { once: true });
  });

interface Work {
  readonly watch?: (signal: AbortSignal) => Promise<void>;
  readonly handBack?: (signal: AbortSignal) => Promise<unknown>;
  readonly beside?: (signal: AbortSignal) => Promise<void>;
}

/** A relay whose parts only say what they are told to do. */
function relayOf({ beside = untilAborted, handBack = untilAborted, watch = untilAborted }: Work = {}) {
  const did: string[] = [];
  const note = (what: string) => () => {
    did.push(what);
  };
  const log = (fields: object) => {
    did.push(String((fields as { event?: unknown }).event));
  };
  const clock = new FakeClock();
  const deps: RelayDependencies = {
    watch: {
      view: () => view('up'),
      settled: async () => view('up'),
      tunnelFailed: () => {},
      tunnelSilent: () => {},
      tunnelAnswered: () => {},
      run: (signal) => watch(signal),
    },
    admission: undefined,
    restartAdmission: note('admission restarted'),
    standIn: {
      accept: (socket) => socket.destroy(),
      sessions: () => [],
      close: async ({ overMs }) => note(`stand-in closed over ${overMs}`)(),
    },
    copies: {
      looked: async () => {},
      refreshNow: note('copies refreshed'),
      watch: ({ signal }) => untilAborted(signal),
    },
    handBack: {
      run: async (signal) => {
        did.push('hand-back');
        await handBack(signal).finally(note('hand-back over'));
      },
    },
    beside: [beside],
    openUpstream: () => Promise.reject(new Error('not asked for')),
    tunnels: new OpenTunnels(),
    clock,
    log: { debug: log, info: log, warn: log, error: log },
  };
  return { clock, did, relay: new Relay({ refreshMs: 60_000, drainMs: 7000 }, deps) };
}

const settled = async () => {
  for (let n = 0; n < 20; n++) await Promise.resolve();
};

describe('a change of the verdict', () => {
  it('down: the copies are looked at, at once; what is given back stays', async () => {
    const { did, relay } = relayOf();
    relay.changed(view('up'));
    relay.changed(view('doubtful'));
    await settled();
    expect(did).toEqual(['admission restarted', 'hand-back', 'hand-back over']);
    relay.changed(view('down'));
    expect(did.slice(3)).toEqual(['copies refreshed']);
  });

  it('back: the pace of the door begins anew, then data planes are given back', () => {
    const { did, relay } = relayOf();
    relay.changed(view('up'));
    expect(did).toEqual(['admission restarted', 'hand-back']);
  });

  it('a hand-back that fails is said, and nothing more', async () => {
    const { did, relay } = relayOf({ handBack: () => Promise.reject(new Error('a defect')) });
    relay.changed(view('up'));
    await settled();
    expect(did.at(-1)).toBe('relay.hand-back-failed');
  });
});

describe('the end', () => {
  it('takes nobody more, lets data planes go over the drain time, then ends what goes on', async () => {
    const { did, relay } = relayOf();
    const stop = new AbortController();
    const running = relay.run(stop.signal, () => {
      did.push('closed to new ones');
    });
    relay.changed(view('up'));
    stop.abort();
    await running;
    await settled();
    expect(did).toEqual([
      'admission restarted',
      'hand-back',
      'closed to new ones',
      'relay.draining',
      'stand-in closed over 7000',
      'closed to new ones',
      'hand-back over',
    ]);
    // A verdict that comes late begins nothing.
    relay.changed(view('up'));
    expect(did.at(-1)).toBe('admission restarted');
  });

  it('is at once when the stop was asked for before the start', async () => {
    const { did, relay } = relayOf();
    await relay.run(AbortSignal.abort(), () => {});
    expect(did).toContain('stand-in closed over 7000');
  });

  const defects: readonly (readonly [string, Work])[] = [
    ['the watch', { watch: () => Promise.reject(defect()) }],
    ['what goes on beside it', { beside: () => Promise.reject(defect()) }],
  ];
  it.each(defects)('a defect of %s ends it, and is thrown', async (_what, work) => {
    const { did, relay } = relayOf(work);
    let closed = 0;
    await expect(
      relay.run(new AbortController().signal, () => {
        closed++;
      }),
    ).rejects.toMatchObject({ code: 'KF_TEST' });
    // Data planes dial again and find another replica.
    expect(closed).toBeGreaterThan(0);
    expect(did).not.toContain('relay.draining');
  });
});

const defect = () => new FallbackError('invalid', 'KF_TEST', 'a defect', { hint: 'none' });
