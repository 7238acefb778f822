import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EMPTY_HASH } from '../../../../src/kong/index.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { preparedFrame } from '../../../stand-in/data-plane-frame.ts';
import {
  recordedProvision,
  StandInAtWork,
  type StandInAtWorkOptions,
} from '../../../stand-in/data-plane-relay.ts';
import { recordedFrame } from '../../../stand-in/frames.ts';
import { quietDataPlane, silentDataPlane } from './clients.ts';

let atWork: StandInAtWork;
const start = async (options?: StandInAtWorkOptions) => {
  atWork = await StandInAtWork.start(options);
  return atWork;
};
afterEach(() => atWork.stop());

const MIXED = recordedProvision('mixed');
const HASH = MIXED.configHash as string;
const OTHER_HASH = 'ab'.repeat(16);

describe('the first ping decides', () => {
  test('a cold data plane gets the frame, byte for byte, and is served when its ping says so', async () => {
    const { standIn } = await start();
    const dataPlane = await atWork.connect();
    expect(await dataPlane.applied()).toBe(HASH);
    expect(dataPlane.frames).toHaveLength(1);
    expect(dataPlane.frames[0]?.equals(recordedFrame('mixed'))).toBe(true);
    expect(dataPlane.origin).toBe('stand-in');
    await expect.poll(() => standIn.sessions()[0]?.state).toBe('served');
    expect(dataPlane.pongs.every((pong) => pong.length === 0)).toBe(true);
    expect(standIn.state()).toMatchObject({ open: 1, served: 1, bytesSent: MIXED.frame.length });
  });

  test('an empty ping is one of a cold data plane', async () => {
    await start();
    const dataPlane = await atWork.connect({ hash: '' });
    expect(await dataPlane.applied()).toBe(HASH);
  });

  test('one that has the configuration gets pongs and not a byte of it', async () => {
    const { standIn } = await start();
    const dataPlane = await atWork.connect({ hash: HASH });
    await expect.poll(() => dataPlane.pongs.length).toBe(1);
    expect(standIn.sessions()[0]?.state).toBe('current');
    expect(standIn.state()).toMatchObject({ served: 1, bytesSent: 0 });
    expect(dataPlane.frames).toEqual([]);
  });

  test('one with an older configuration of the head gets the newer frame', async () => {
    await start({ provisions: [recordedProvision('mixed', { olderHashes: new Set([OTHER_HASH]) })] });
    const dataPlane = await atWork.connect({ hash: OTHER_HASH });
    expect(await dataPlane.applied()).toBe(HASH);
  });

  test('one with anything else is left alone, and found', async () => {
    const { standIn } = await start();
    const dataPlane = await atWork.connect({ hash: OTHER_HASH });
    await expect.poll(() => dataPlane.pongs.length).toBe(1);
    expect(standIn.sessions()[0]).toMatchObject({ state: 'ahead', hash: OTHER_HASH });
    expect(dataPlane.frames).toEqual([]);
    expect(atWork.found()).toEqual(['dp-ahead-or-unknown 3.9.3']);
    await dataPlane.close();
    await expect.poll(() => atWork.found()).toEqual([]);
  });

  test('where no hash is known, a frame is acknowledged by any hash that is not zeros', async () => {
    const { standIn } = await start({ provisions: [recordedProvision('mixed', { configHash: null })] });
    const dataPlane = await atWork.connect();
    await dataPlane.applied();
    await expect.poll(() => standIn.sessions()[0]?.state).toBe('served');
    expect(dataPlane.configHash).not.toBe(EMPTY_HASH);
  });
});

describe('deadlines', () => {
  const clocked = async (options: StandInAtWorkOptions = {}) => {
    const clock = new FakeClock();
    await start({ clock, ...options });
    return clock;
  };

  test('a data plane that never pings gets the frame after 2 s, and not before', async () => {
    const clock = await clocked();
    const dataPlane = await quietDataPlane(atWork);
    await expect.poll(() => atWork.standIn.sessions()[0]?.state).toBe('greeting');
    await clock.advance(1800);
    expect(dataPlane.frames).toHaveLength(0);
    await clock.advance(400);
    expect(await dataPlane.received(1)).toBe(1);
  });

  test('who does not say what it is within 5 s is closed without a status code, as by a control plane', async () => {
    const clock = await clocked();
    const dataPlane = await silentDataPlane(atWork);
    await expect.poll(() => atWork.standIn.sessions().length).toBe(1);
    await clock.advance(4800);
    expect(atWork.events('relay.data-plane-refused')).toEqual([]);
    await clock.advance(400);
    expect(await dataPlane.closed).toBe(1005);
    expect(atWork.events('relay.data-plane-refused')).toMatchObject([{ code: 'KF_RELAY_NO_BASIC_INFO' }]);
  });

  test('without a ping for 45 s a session ends', async () => {
    const clock = await clocked();
    const dataPlane = await atWork.connect({ hash: HASH });
    await expect.poll(() => dataPlane.pongs.length).toBe(1);
    await clock.advance(44_000);
    expect(atWork.standIn.sessions()).toHaveLength(1);
    dataPlane.ping();
    await expect.poll(() => dataPlane.pongs.length).toBe(2);
    await clock.advance(44_000);
    expect(atWork.standIn.sessions()).toHaveLength(1);
    await clock.advance(2000);
    expect(await dataPlane.closed).toBe(1006);
    expect(atWork.events('relay.data-plane-stalled')).toMatchObject([{ code: 'KF_RELAY_GONE' }]);
  });

  test('a rejection shows in the hash of a ping 10 s after the frame, and no sooner', async () => {
    const clock = await clocked();
    const dataPlane = await atWork.connect({ loads: () => false });
    await dataPlane.received(1);
    // Up to 3.5 one comes at once, after a rejection too.
    dataPlane.ping();
    await expect.poll(() => dataPlane.pongs.length).toBe(2);
    expect(atWork.found()).toEqual([]);
    await clock.advance(10_000);
    dataPlane.ping();
    await expect.poll(() => atWork.found()).toEqual(['data-plane-rejected-configuration 3.9.3']);
    expect(atWork.findings.list()[0]?.message).toContain('1 data plane of 3.9.3 is not taking');
    expect(atWork.standIn.sessions()[0]?.state).toBe('greeting');
    dataPlane.ping(HASH);
    await expect.poll(() => atWork.found()).toEqual([]);
    expect(dataPlane.frames).toHaveLength(1);
  });

  test('a reader that takes nothing for 20 s is destroyed; its neighbour notices nothing', async () => {
    const large = preparedFrame(randomBytes(24_000_000));
    const clock = await clocked({
      provisions: [recordedProvision('mixed', { frame: large, olderHashes: new Set([OTHER_HASH]) })],
    });
    const neighbour = await atWork.connect({ hash: HASH });
    const stalled = await atWork.connect({ hash: OTHER_HASH });
    stalled.socket.pause();
    await expect.poll(() => atWork.standIn.sessions()[1]?.state).toBe('greeting');
    await clock.advance(19_000);
    expect(atWork.standIn.sessions()).toHaveLength(2);
    neighbour.ping();
    await clock.advance(2000);
    await expect.poll(() => atWork.standIn.sessions()).toHaveLength(1);
    expect(atWork.events('relay.data-plane-stalled')).toMatchObject([{ code: 'KF_RELAY_STALLED' }]);
    expect(atWork.standIn.state().bytesSent).toBeLessThan(large.length);
    neighbour.ping();
    await expect.poll(() => neighbour.pongs.length).toBe(3);
  });
});

describe('refusals', () => {
  test('no snapshot of its version: closed, logged with those that there are, found, and learnt', async () => {
    const onSeen = vi.fn();
    await start({ onSeen });
    const dataPlane = await atWork.connect({ gatewayVersion: '3.8.1', nodeId: 'node-1' });
    expect(await dataPlane.closed).toBe(1005);
    expect(dataPlane.frames).toEqual([]);
    expect(atWork.events('relay.data-plane-refused')).toMatchObject([
      {
        code: 'KF_RELAY_NO_SNAPSHOT',
        gatewayVersion: '3.8.1',
        message: expect.stringContaining('there is 3.9.3'),
      },
    ]);
    expect(atWork.found()).toEqual(['data-plane-version-unknown 3.8.1']);
    expect(onSeen).toHaveBeenCalledWith({
      gatewayVersion: '3.8.1',
      nodeId: 'node-1',
      plugins: expect.arrayContaining(['key-auth']),
    });
    atWork.provide(recordedProvision('older-versions/3.8.1/frame', { gatewayVersion: '3.8.1' }));
    expect(atWork.found()).toEqual([]);
  });

  test('of unknown versions 32 are remembered, and for a minute', async () => {
    const clock = new FakeClock();
    await start({ clock });
    for (let minor = 0; minor < 40; minor++) {
      const dataPlane = await atWork.connect({ gatewayVersion: `3.${minor}.77` });
      await dataPlane.closed;
    }
    expect(atWork.found()).toHaveLength(32);
    await clock.advance(61_000);
    expect(atWork.found()).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  test.each(['garbage', '3.9', '3.9.3\u0000', '3.9.3 or so', `3.9.3${'x'.repeat(100)}`])(
    'a version that is none: %j',
    async (gatewayVersion) => {
      await start();
      const dataPlane = await atWork.connect({ gatewayVersion: encodeURIComponent(gatewayVersion) });
      expect(await dataPlane.closed).toBe(1005);
      expect(atWork.events('relay.data-plane-refused')).toMatchObject([{ code: 'KF_RELAY_VERSION_INVALID' }]);
      expect(atWork.found()).toEqual([]);
    },
  );

  test('a plugin in use that it lacks: connected, pongs, nothing else; served when the plugin is in use no more', async () => {
    const { standIn } = await start({
      provisions: [recordedProvision('mixed', { plugins: ['key-auth', 'our-own'] })],
    });
    const dataPlane = await atWork.connect();
    await expect.poll(() => dataPlane.pongs.length).toBe(1);
    expect(standIn.sessions()[0]?.state).toBe('refused');
    expect(atWork.found()).toEqual(['data-plane-plugin-missing 3.9.3']);
    expect(atWork.findings.list()[0]?.message).toContain('our-own');
    expect(dataPlane.frames).toEqual([]);
    atWork.provide(recordedProvision('mixed'));
    expect(await dataPlane.applied()).toBe(HASH);
    expect(atWork.found()).toEqual([]);
  });
});

describe('push', () => {
  const NEXT = recordedProvision('control-plane/delta/frame-2');

  test('a newer provision goes to who was served and who was current; who is ahead is left alone', async () => {
    await start();
    const [served, current, ahead] = await Promise.all([
      atWork.connect(),
      atWork.connect({ hash: HASH }),
      atWork.connect({ hash: OTHER_HASH }),
    ]);
    await served.applied(HASH);
    await expect
      .poll(() =>
        atWork.standIn
          .sessions()
          .map(({ state }) => state)
          .sort(),
      )
      .toEqual(['ahead', 'current', 'served']);
    atWork.provide(NEXT);
    expect(await served.applied(NEXT.configHash as string)).toBe(NEXT.configHash);
    expect(await current.applied(NEXT.configHash as string)).toBe(NEXT.configHash);
    expect(ahead.frames).toEqual([]);
    // A rollback is no different.
    atWork.provide(recordedProvision('mixed'));
    expect(await served.applied(HASH)).toBe(HASH);
    expect(served.frames).toHaveLength(3);
  });

  test('the same provision again sends nothing', async () => {
    await start();
    const dataPlane = await atWork.connect();
    await dataPlane.applied();
    await expect.poll(() => atWork.standIn.state().served).toBe(1);
    atWork.standIn.push('3.9.3');
    atWork.provide(recordedProvision('mixed', { sequence: 2 }));
    dataPlane.ping();
    await expect.poll(() => dataPlane.pongs.length).toBe(3);
    expect(dataPlane.frames).toHaveLength(1);
  });

  test('one that was ahead of the former provision and has the new one is current', async () => {
    await start();
    await atWork.connect({ hash: NEXT.configHash as string });
    await expect.poll(() => atWork.found()).toEqual(['dp-ahead-or-unknown 3.9.3']);
    atWork.provide(NEXT);
    expect(atWork.standIn.sessions()[0]?.state).toBe('current');
    expect(atWork.found()).toEqual([]);
  });
});

describe('giving back', () => {
  test('the oldest first, closed without a status code', async () => {
    await start();
    const first = await atWork.connect({ hash: HASH });
    const second = await atWork.connect({ hash: HASH });
    expect(atWork.standIn.release(1)).toBe(1);
    expect(await first.closed).toBe(1005);
    expect(atWork.standIn.sessions().map(({ nodeId }) => nodeId)).toEqual([second.nodeId]);
    expect(atWork.standIn.release(5)).toBe(1);
    expect(await second.closed).toBe(1005);
    expect(atWork.standIn.release(5)).toBe(0);
    await expect.poll(() => atWork.sockets.size).toBe(0);
  });

  test('a frame in flight is finished before', async () => {
    const payload = randomBytes(8_000_000);
    await start({ provisions: [recordedProvision('mixed', { frame: preparedFrame(payload) })] });
    const dataPlane = await silentDataPlane(atWork);
    const got = new Promise<Buffer>((resolve) =>
      dataPlane.websocket.once('message', (data) => resolve(data as Buffer)),
    );
    dataPlane.introduce();
    dataPlane.websocket.ping(EMPTY_HASH);
    dataPlane.socket.pause();
    await expect.poll(() => atWork.standIn.state().bytesSent).toBeGreaterThan(0);
    expect(atWork.standIn.release(1)).toBe(1);
    dataPlane.socket.resume();
    expect((await got).equals(payload)).toBe(true);
    expect(await dataPlane.closed).toBe(1005);
  });

  test('close spreads it over the time that it is given, takes nobody more, and leaves no timer', async () => {
    const clock = new FakeClock();
    await start({ clock });
    const dataPlanes = await Promise.all(Array.from({ length: 4 }, () => atWork.connect({ hash: HASH })));
    await expect.poll(() => atWork.standIn.state().served).toBe(4);
    let ended = 0;
    for (const { closed } of dataPlanes) void closed.then(() => ended++);
    const closed = atWork.standIn.close({ overMs: 8000, signal: new AbortController().signal });
    await expect.poll(() => ended).toBe(1);
    await expect(atWork.connect()).rejects.toThrow();
    await clock.advance(4100);
    await expect.poll(() => ended).toBe(3);
    await clock.advance(4000);
    await expect.poll(() => ended).toBe(4);
    await clock.advance(3000);
    await closed;
    await clock.advance(1000);
    expect(clock.sleeping).toBe(0);
    expect(atWork.standIn.state().open).toBe(0);
  });

  test('a close whose patience ends closes all at once', async () => {
    await start();
    const dataPlanes = await Promise.all([atWork.connect({ hash: HASH }), atWork.connect({ hash: HASH })]);
    await expect.poll(() => atWork.standIn.state().served).toBe(2);
    await atWork.standIn.close({ overMs: 60_000, signal: AbortSignal.abort() });
    await Promise.all(dataPlanes.map(({ closed }) => closed));
    await expect.poll(() => atWork.sockets.size).toBe(0);
  });
});
