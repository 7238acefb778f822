import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import type { AdmissionTicket } from '../../../src/relay/admission/admission.ts';
import { SwitchOver, type SwitchOverDependencies } from '../../../src/relay/pipeline.ts';
import { OpenTunnels } from '../../../src/relay/tunnel/open-tunnels.ts';
import type { Verdict } from '../../../src/relay/verdict.ts';
import { aborted } from '../../../src/resilience/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { Loopback } from './tunnel/tunnel-sockets.ts';

/** A whole record with a ClientHello in it, as far as anybody looks. */
const HELLO = Buffer.concat([Buffer.from([22, 3, 1, 0, 60, 1]), Buffer.alloc(59, 7)]);

let loopback: Loopback;
beforeEach(async () => {
  loopback = await new Loopback({ paused: true }).listen();
});
afterEach(() => loopback.close());

/** What happened, in order. */
class Door {
  readonly clock = new FakeClock();
  readonly did: string[] = [];
  readonly stopped = new AbortController();
  readonly standIn: Socket[] = [];
  readonly upstreams: Socket[] = [];
  verdicts: Verdict[] = ['up'];
  /** What `enter` answers: a ticket, none, or whoever asks waits for ever. */
  admits: boolean | 'waits' | 'sidecar' = true;
  upstreamFails = 0;
  looked: Promise<void> = Promise.resolve();
  readonly tunnels = new OpenTunnels();
  readonly #switchOver: SwitchOver;

  constructor(admission: 'service' | 'sidecar' = 'service') {
    const note = (what: string) => () => {
      this.did.push(what);
    };
    const ticket: AdmissionTicket = {
      carried: note('carried'),
      refused: note('refused'),
      release: note('release'),
    };
    const log = (fields: object) => {
      this.did.push(String((fields as { event?: unknown }).event));
    };
    const deps: SwitchOverDependencies = {
      watch: {
        view: () => this.#view(),
        settled: async ({ waitMs, signal }) => {
          if (this.#view().verdict === 'doubtful') {
            this.did.push(`waits ${waitMs}`);
            await this.clock.sleep(waitMs, signal).catch(() => {
              throw aborted(signal);
            });
          }
          const view = this.#view();
          if (this.verdicts.length > 1) this.verdicts.shift();
          return view;
        },
        tunnelFailed: ({ code }) => note(`failed ${code}`)(),
        tunnelSilent: note('silent'),
        tunnelAnswered: note('answered'),
      },
      admission:
        admission === 'sidecar'
          ? undefined
          : {
              enter: async ({ signal }) => {
                this.did.push('enters');
                if (this.admits === 'waits')
                  await once(signal, 'abort').then(() => Promise.reject(aborted(signal)));
                return this.admits === true ? ticket : undefined;
              },
            },
      standIn: {
        accept: (socket) => {
          this.did.push('stand-in');
          this.standIn.push(socket);
        },
      },
      copies: { looked: () => this.looked },
      openUpstream: async () => {
        this.did.push('dials');
        if (this.upstreamFails-- > 0)
          throw new FallbackError('unavailable', 'KF_CP_REFUSED_CONNECTION', 'no');
        const { accepted, dialled } = await loopback.pair();
        this.upstreams.push(dialled);
        return { socket: accepted, address: { text: 'cp:8005', host: 'cp', port: 8005 } };
      },
      tunnels: this.tunnels,
      clock: this.clock,
      log: { debug: log, info: log, warn: log, error: log },
    };
    this.#switchOver = new SwitchOver(deps, this.stopped.signal);
  }

  get held(): number {
    return this.#switchOver.held;
  }

  /** @returns the data plane's own end, when the door is done with it, and when it was closed */
  async arrive() {
    const { accepted, dialled } = await loopback.pair();
    const ended = Promise.race([once(dialled.resume(), 'end'), once(dialled, 'close')]);
    return { dataPlane: dialled, done: this.#switchOver.accept(accepted), ended };
  }

  #view() {
    const [verdict = 'up'] = this.verdicts;
    return { verdict, since: 0, reason: '', message: '', address: undefined };
  }
}

/** A turn of the event loop, in which sockets are served. */
const turns = async (count = 5) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
};

describe('who does not ask for TLS', () => {
  it('stands before nobody at the door and costs the control plane nothing; 5 s later it is closed and counted', async () => {
    const door = new Door();
    const { dataPlane, done, ended } = await door.arrive();
    dataPlane.write(HELLO.subarray(0, 20));
    await turns();
    expect([door.did, door.held]).toEqual([[], 1]);
    await door.clock.advance(5000);
    await done;
    await ended;
    expect([door.did, door.held, door.upstreams]).toEqual([['relay.strangers'], 0, []]);
  });

  it('is closed at once when it says something else', async () => {
    const door = new Door();
    const { dataPlane, done, ended } = await door.arrive();
    dataPlane.write('GET / HTTP/1.1\r\n\r\n');
    await done;
    await ended;
    expect(door.did).toEqual(['relay.strangers']);
  });

  it('and leaves, as a check of the port, leaves no trace', async () => {
    const door = new Door();
    const { dataPlane, done } = await door.arrive();
    dataPlane.end();
    await done;
    expect([door.did, door.held]).toEqual([[], 0]);
  });

  it('is the business of the stand-in while the control plane is down', async () => {
    const door = new Door();
    door.verdicts = ['down'];
    const { done } = await door.arrive();
    await done;
    expect(door.did).toEqual(['stand-in']);
  });
});

describe('a data plane', () => {
  it('is joined to the control plane, and not a byte of what it said is lost', async () => {
    const door = new Door();
    const { dataPlane, done } = await door.arrive();
    dataPlane.write(HELLO.subarray(0, 3));
    await turns();
    dataPlane.write(HELLO.subarray(3));
    await done;
    expect([door.did, door.tunnels.count]).toEqual([['enters', 'dials'], 1]);
    const [upstream] = door.upstreams;
    let got = Buffer.alloc(0);
    upstream?.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
    });
    dataPlane.write('more');
    while (got.length < HELLO.length + 4) await once(upstream as Socket, 'data');
    expect(got).toEqual(Buffer.concat([HELLO, Buffer.from('more')]));
  });

  it('goes to the stand-in with all that it said when the control plane takes no connection, twice', async () => {
    const door = new Door();
    door.upstreamFails = 2;
    const { dataPlane, done } = await door.arrive();
    dataPlane.write(HELLO);
    await done;
    expect(door.did).toEqual([
      ...['enters', 'dials', 'refused', 'failed KF_CP_REFUSED_CONNECTION'],
      ...['enters', 'dials', 'refused', 'failed KF_CP_REFUSED_CONNECTION'],
      'stand-in',
    ]);
    const [socket] = door.standIn;
    await once(socket as Socket, 'readable');
    expect((socket as Socket).read()).toEqual(HELLO);
  });

  it('goes to the stand-in when it is not its turn', async () => {
    const door = new Door();
    door.admits = false;
    const { dataPlane, done } = await door.arrive();
    dataPlane.write(HELLO);
    await done;
    expect(door.did.at(-1)).toBe('stand-in');
    expect(door.upstreams).toEqual([]);
  });

  it('waits 4 s for a verdict and no longer', async () => {
    const door = new Door();
    door.verdicts = ['doubtful', 'down'];
    const { dataPlane, done } = await door.arrive();
    dataPlane.write(HELLO);
    await turns();
    expect([door.did, door.held]).toEqual([['waits 4000'], 1]);
    await door.clock.advance(4000);
    await turns();
    await done;
    expect(door.did.at(-1)).toBe('stand-in');
  });

  it('waits for the sealed copy to be read, right after a start', async () => {
    const door = new Door();
    door.verdicts = ['down'];
    let read = () => {};
    door.looked = new Promise((resolve) => {
      read = resolve;
    });
    const { done } = await door.arrive();
    await turns();
    expect(door.did).toEqual([]);
    read();
    await done;
    expect(door.did).toEqual(['stand-in']);
  });

  it('beside which there is a sidecar is let through without a door', async () => {
    const door = new Door('sidecar');
    const { dataPlane, done } = await door.arrive();
    dataPlane.write(HELLO);
    await done;
    expect(door.did).toEqual(['dials']);
  });

  it('that leaves while it waits at the door gives its place back', async () => {
    const door = new Door();
    door.admits = 'waits';
    const { dataPlane, done } = await door.arrive();
    dataPlane.write(HELLO);
    await turns();
    expect(door.did).toEqual(['enters']);
    dataPlane.resetAndDestroy();
    await done;
    expect([door.did, door.held]).toEqual([['enters'], 0]);
  });

  it('is closed when the relay stops before it was served', async () => {
    const door = new Door();
    door.admits = 'waits';
    const { dataPlane, done, ended } = await door.arrive();
    dataPlane.write(HELLO);
    await turns();
    door.stopped.abort();
    await done;
    await ended;
    expect([door.did, door.held]).toEqual([['enters'], 0]);
  });
});
