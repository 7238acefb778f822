import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { openSession } from '../../../src/kong/open-session.ts';
import { encodeFrame, recordedFile } from '../../stand-in/frames.ts';
import { failureOf, mixed, session, sessionOptions, standIn, stoppedClock } from './session-fixture.ts';

describe('a control plane that does not do its part', () => {
  test.each([
    ['refuse', 'denied KF_CP_REFUSED'],
    ['cut', 'unavailable KF_CP_CONNECTION_LOST'],
    ['text-frame', 'unsupported KF_CP_TEXT_FRAME'],
  ] as const)('%s', async (behaviour, expected) => {
    const controlPlane = await standIn({ behaviour });
    const one = await session(controlPlane.address);
    expect(await failureOf(one.frames().next())).toBe(expected);
  });

  test.each(['2.8.5', '3.10.0', '4.0.0', 'garbage'])('of another version than %s', async (gatewayVersion) => {
    const controlPlane = await standIn();
    const one = await session(controlPlane.address, { gatewayVersion });
    expect(await failureOf(one.frames().next())).toBe('denied KF_CP_REFUSED');
  });

  test('whose configuration is above the limit', async () => {
    const controlPlane = await standIn();
    const one = await session(controlPlane.address, { maxPayloadBytes: mixed.length - 1 });
    expect(await failureOf(one.frames().next())).toBe('unsupported KF_CP_FRAME_TOO_LARGE');
  });

  test('that breaks the protocol', async () => {
    const head = recordedFile('control-plane/empty/raw-from-server.bin');
    const end = head.indexOf('\r\n\r\n') + 4;
    const controlPlane = await standIn({
      behaviour: 'raw',
      rawReplay: Buffer.concat([head.subarray(0, end), Buffer.from([0xff, 0xff, 0xff])]),
    });
    const one = await session(controlPlane.address);
    expect(await failureOf(one.frames().next())).toBe('corrupt KF_CP_PROTOCOL_ERROR');
  });

  test('that vanishes after a configuration', async () => {
    const controlPlane = await standIn();
    const one = await session(controlPlane.address);
    const frames = one.frames();
    await frames.next();
    await controlPlane.close();
    expect(await failureOf(frames.next())).toBe('unavailable KF_CP_CONNECTION_LOST');
  });

  test('that answers pings and is silent: 180 s, and what to look at', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ configuredPlugins: ['my-plugin'], clock });
    const one = await session(controlPlane.address, { clock });
    const failure = failureOf(one.frames().next());
    for (let pings = 1; pings < 6; pings++) {
      await vi.waitFor(() => expect(one.pongs).toBe(pings));
      await clock.advance(30_000);
    }
    await vi.waitFor(() => expect(one.pongs).toBe(6));
    await clock.advance(29_999);
    expect(one.pongs).toBe(6);
    await clock.advance(1);
    expect(await failure).toBe('unavailable KF_CP_SILENT');
    const error = await one
      .frames()
      .next()
      .catch((thrown: Error & { hint: string }) => thrown);
    expect((error as { hint: string }).hint).toMatch(/plugin.*database/s);
  });

  test('that says nothing of any kind: 45 s', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ behaviour: 'hang-upgraded', clock });
    const one = await session(controlPlane.address, { clock });
    const failure = failureOf(one.frames().next());
    await clock.advance(44_999);
    expect(clock.sleeping).toBeGreaterThan(0);
    await clock.advance(10_001);
    expect(await failure).toBe('unavailable KF_CP_GONE');
  });

  test('while the caller gives up', async () => {
    const giveUp = new AbortController();
    const controlPlane = await standIn({ behaviour: 'silent' });
    const one = await session(controlPlane.address, { signal: giveUp.signal });
    const failure = failureOf(one.frames().next());
    giveUp.abort();
    expect(await failure).toBe('aborted KF_ABORTED');
  });
});

describe('a session', () => {
  test('yields the frame byte for byte, then what changes', async () => {
    const controlPlane = await standIn();
    const one = await session(controlPlane.address);
    const frames = one.frames();
    const first = await frames.next();
    expect(first.value?.ordinal).toBe(1);
    expect(Buffer.from(first.value?.bytes ?? []).equals(mixed)).toBe(true);
    const next = encodeFrame({ _format_version: '3.0', services: [] });
    controlPlane.setFrame(next);
    const second = await frames.next();
    expect(second.value?.ordinal).toBe(2);
    expect(Buffer.from(second.value?.bytes ?? []).equals(next)).toBe(true);
  });

  test('introduces itself as a data plane and pings at once', async () => {
    const controlPlane = await standIn();
    await session(controlPlane.address, { plugins: ['acl', 'jwt'], labels: { role: 'exporter' } });
    await vi.waitFor(() => expect(controlPlane.pings).toHaveLength(1));
    expect(controlPlane.basicInfos).toEqual([
      {
        type: 'basic_info',
        plugins: [{ name: 'acl' }, { name: 'jwt' }],
        labels: { role: 'exporter' },
        process_conf: {},
        filters: {},
      },
    ]);
    expect(controlPlane.pings).toEqual(['0'.repeat(32)]);
  });

  test('reports the hash of the newest frame with the next ping, each 30 s', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ clock });
    const one = await session(controlPlane.address, { clock });
    await one.frames().next();
    const second = once(controlPlane, 'ping');
    await clock.advance(30_000);
    expect(await second).toEqual(['efc54e13b9dcea24a87f55f3ba401936']);
    one.configHash = 'a'.repeat(32);
    one.configHash = 'too short';
    const third = once(controlPlane, 'ping');
    await clock.advance(30_000);
    expect(await third).toEqual(['a'.repeat(32)]);
  });

  test('keeps only the newest frame for a consumer that is slow, and says so by its number', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ framesAtConnect: 3, clock });
    const one = await session(controlPlane.address, { clock });
    await vi.waitFor(() => expect(controlPlane.framesSent).toBe(3));
    const last = encodeFrame({ last: [1] });
    controlPlane.setFrame(last);
    // What answers this ping comes behind all frames.
    await vi.waitFor(() => expect(one.pongs).toBe(1));
    await clock.advance(30_000);
    await vi.waitFor(() => expect(one.pongs).toBe(2));
    const received = await one.frames().next();
    expect(received.value?.ordinal).toBe(4);
    expect(Buffer.from(received.value?.bytes ?? []).equals(last)).toBe(true);
  });

  test('ends without an error when the control plane says goodbye after a configuration', async () => {
    const controlPlane = await standIn();
    const one = await session(controlPlane.address);
    const frames = one.frames();
    await frames.next();
    for (const client of controlPlane.clients) client.close();
    expect(await frames.next()).toEqual({ done: true, value: undefined });
  });

  test('closing says goodbye, leaves no socket, no timer, and ends the frames', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn();
    const one = await openSession(sessionOptions(controlPlane.address, { clock }));
    const frames = one.frames();
    await frames.next();
    await one.close();
    expect((await frames.next()).done).toBe(true);
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    expect(clock.sleeping).toBe(0);
    await one.close();
  });

  test('closing does not wait for a peer that hangs', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({
      behaviour: 'raw',
      rawReplay: recordedFile('control-plane/empty/raw-from-server.bin'),
    });
    const one = await openSession(sessionOptions(controlPlane.address, { clock }));
    const closing = one.close();
    await clock.advance(1000);
    await closing;
    expect(clock.sleeping).toBe(0);
  });
});

describe("the control plane's clock", () => {
  const date = 'Sat, 21 Nov 2026 11:00:13 GMT';

  test('is its Date and the time since', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ date });
    const one = await session(controlPlane.address, { clock });
    clock.jump(12_345);
    expect(one.peerTime()).toBe(Date.parse(date) + 12_345);
  });

  test('and the moment of arrival are one reading, however long the process is stopped in between', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ date, clock });
    const one = await session(controlPlane.address, { clock });
    const frames = one.frames();
    await frames.next();
    const offset = Number(one.peerTime()) - clock.monotonic();
    const { monotonic } = clock;
    clock.monotonic = () => {
      clock.jump(60_000);
      return monotonic.call(clock);
    };
    controlPlane.setFrame(mixed);
    const frame = (await frames.next()).value;
    expect(Number(frame?.peerTime) - Number(frame?.receivedAt)).toBe(offset);
  });

  test.each([[null], ['yesterday']])('is unknown with Date %s', async (unusable) => {
    const controlPlane = await standIn({ date: unusable });
    expect((await session(controlPlane.address)).peerTime()).toBeUndefined();
  });

  test('is unknown when its answer took more than two seconds', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ date });
    controlPlane.once('request', () => clock.jump(2001));
    expect((await session(controlPlane.address, { clock })).peerTime()).toBeUndefined();
  });
});

test('a message that is not a configuration is handed on as it is', async () => {
  const odd = gzipSync('{"type":"hello"}');
  const controlPlane = await standIn({ frames: odd });
  const one = await session(controlPlane.address);
  expect(Buffer.from((await one.frames().next()).value?.bytes ?? []).equals(odd)).toBe(true);
});
