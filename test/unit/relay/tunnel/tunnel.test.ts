import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Tunnel } from '../../../../src/relay/tunnel/tunnel.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { type Joined, joined, Loopback } from './tunnel-sockets.ts';

let loopback: Loopback;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  loopback = await new Loopback({ paused: true }).listen();
});

afterEach(() => loopback.close());

const open = () => joined(loopback, { clock });

/** All that comes until the other side has said everything; leaves the socket open, as `for await` would not. */
async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.readableEnded) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return Buffer.concat(chunks);
}

/** What comes first on a socket that stays open. */
async function firstOf(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('one side fails', () => {
  it('a data plane that is reset ends the control plane, and is named with its code', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    dataPlane.write('hello');
    expect(await firstOf(controlPlane)).toBe('hello');
    dataPlane.resetAndDestroy();
    expect(await received(controlPlane)).toHaveLength(0);
    controlPlane.end();
    expect(await tunnel.ended).toEqual({ by: 'data-plane', code: 'ECONNRESET' });
  });

  it('a control plane that is reset ends the data plane, which has all that it sent', async () => {
    const { controlPlane, dataPlane, inner, tunnel } = await open();
    controlPlane.write('last words');
    await once(inner.up, 'data');
    controlPlane.resetAndDestroy();
    expect((await received(dataPlane)).toString()).toBe('last words');
    expect(await tunnel.ended).toEqual({ by: 'control-plane', code: 'ECONNRESET' });
  });

  it('a socket that was gone before ends the other', async () => {
    const [outer, further] = [await loopback.pair(), await loopback.pair()];
    outer.accepted.destroy();
    await once(outer.accepted, 'close');
    const tunnel = new Tunnel(outer.accepted, further.accepted, { clock });
    expect(await received(further.dialled)).toHaveLength(0);
    expect(await tunnel.ended).toEqual({ by: 'us' });
  });

  it('both gone before: it has ended', async () => {
    const [outer, further] = [await loopback.pair(), await loopback.pair()];
    for (const socket of [outer.accepted, further.accepted]) {
      socket.destroy();
      await once(socket, 'close');
    }
    expect(await new Tunnel(outer.accepted, further.accepted, { clock }).ended).toEqual({ by: 'us' });
  });
});

describe('closed in order', () => {
  it.each([
    ['data plane', 'data-plane'],
    ['control plane', 'control-plane'],
  ])('the %s has said everything: the other still answers', async (who, by) => {
    const { controlPlane, dataPlane, tunnel } = await open();
    const [first, second] = who === 'data plane' ? [dataPlane, controlPlane] : [controlPlane, dataPlane];
    first.end('question');
    expect((await received(second)).toString()).toBe('question');
    second.end('answer');
    expect((await received(first)).toString()).toBe('answer');
    expect(await tunnel.ended).toEqual({ by });
    expect(clock.sleeping).toBe(0);
  });

  it('half-closed and silent for 30 s: ended', async () => {
    const { controlPlane, dataPlane, inner, tunnel } = await open();
    controlPlane.end();
    dataPlane.resume();
    await once(dataPlane, 'end');
    await clock.advance(29_999);
    dataPlane.write('still here');
    expect(await firstOf(controlPlane)).toBe('still here');
    await clock.advance(1);
    expect(inner.down.destroyed).toBe(false);
    await clock.advance(30_000);
    expect(await tunnel.ended).toEqual({ by: 'control-plane' });
  });

  it('by us: both sides are told, and nothing is left', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    tunnel.close();
    const both = [received(dataPlane), received(controlPlane)];
    dataPlane.end();
    controlPlane.end();
    await Promise.all(both);
    expect(await tunnel.ended).toEqual({ by: 'us' });
    tunnel.close();
    expect(clock.sleeping).toBe(0);
  });

  it('by us: a data plane that takes nothing is cut after 2 s', async () => {
    const { controlPlane, inner, tunnel } = await open();
    await fill(controlPlane, inner.down);
    tunnel.close();
    await clock.advance(1999);
    expect(inner.down.destroyed).toBe(false);
    await clock.advance(1);
    expect(await tunnel.ended).toEqual({ by: 'us' });
    expect(clock.sleeping).toBe(0);
  });
});

describe('bytes', () => {
  it('8 MiB each way at once, unchanged, counted', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    const [up, down] = [randomBytes(8 << 20), randomBytes(8 << 20)];
    dataPlane.end(up);
    controlPlane.end(down);
    const [atControlPlane, atDataPlane] = await Promise.all([received(controlPlane), received(dataPlane)]);
    expect(sha(atControlPlane)).toBe(sha(up));
    expect(sha(atDataPlane)).toBe(sha(down));
    await tunnel.ended;
    expect([tunnel.bytesUp, tunnel.bytesDown]).toEqual([up.length, down.length]);
  });

  it('a byte at a time', async () => {
    const { controlPlane, dataPlane } = await open();
    dataPlane.setNoDelay(true);
    const text = 'one byte after the other, as a hostile client sends them';
    void (async () => {
      for (const letter of text) {
        dataPlane.write(letter);
        await turn();
      }
      dataPlane.end();
    })();
    expect((await received(controlPlane)).toString()).toBe(text);
  });

  it('what came before the tunnel stood is not lost', async () => {
    const [outer, further] = [await loopback.pair(), await loopback.pair()];
    outer.dialled.write('early');
    await turn();
    new Tunnel(outer.accepted, further.accepted, { clock });
    expect(await firstOf(further.dialled)).toBe('early');
  });

  it.each([
    ['data plane', 'down'],
    ['control plane', 'up'],
  ] as const)('a %s that reads nothing stops the other; little is held', async (who, side) => {
    const both = await open();
    const writer = who === 'data plane' ? both.controlPlane : both.dataPlane;
    const reader = who === 'data plane' ? both.dataPlane : both.controlPlane;
    const sent = await fill(writer, both.inner[side]);
    const held = both.inner[side].writableLength;
    expect(held).toBeLessThanOrEqual(128 * 1024);
    writer.end();
    expect(await received(reader)).toHaveLength(sent);
  });
});

describe('did the control plane answer?', () => {
  /** As much of a TLS hello as can be told from outside. */
  const HELLO = Buffer.concat([Buffer.from([22, 3, 1, 0, 200, 1]), Buffer.alloc(199)]);

  it('no: silent for 5 s after the first bytes', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    await clock.advance(3000);
    dataPlane.write(HELLO);
    await once(controlPlane, 'data');
    await clock.advance(4999);
    expect(await isPending(tunnel.answered)).toBe(true);
    await clock.advance(1);
    expect(await tunnel.answered).toBe(false);
  });

  it('no: it hangs up on the hello', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    dataPlane.write(HELLO);
    await once(controlPlane, 'data');
    controlPlane.resetAndDestroy();
    expect(await tunnel.answered).toBe(false);
  });

  it('no: it hangs up before the hello is there, as a balancer with nothing behind it', async () => {
    const { controlPlane, tunnel } = await open();
    controlPlane.end();
    expect(await tunnel.answered).toBe(false);
  });

  it('no: the data plane lost patience after a second', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    dataPlane.write(HELLO);
    await once(controlPlane, 'data');
    await clock.advance(1000);
    dataPlane.end();
    expect(await tunnel.answered).toBe(false);
  });

  it.each([
    ['it left at once', true, 999, 'dataPlane'],
    ['it sent nothing, as a check of the port', false, 60_000, 'dataPlane'],
    ['it sent nothing until the control plane hung up', false, 5001, 'controlPlane'],
  ] as const)('nobody knows: %s', async (_what, sends, afterMs, ends) => {
    const both = await open();
    if (sends) {
      both.dataPlane.write(HELLO);
      await once(both.controlPlane, 'data');
    }
    await clock.advance(afterMs);
    both[ends].end();
    expect(await both.tunnel.answered).toBeUndefined();
    expect(await both.tunnel.carried).toBeUndefined();
  });

  it('nobody knows: closed by us', async () => {
    const { dataPlane, inner, tunnel } = await open();
    dataPlane.write(HELLO);
    await once(inner.down, 'data');
    await clock.advance(3000);
    tunnel.close();
    expect(await tunnel.answered).toBeUndefined();
  });

  it('yes: one byte will do', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    dataPlane.write(HELLO);
    await once(controlPlane, 'data');
    await clock.advance(4999);
    controlPlane.write('x');
    expect(await tunnel.answered).toBe(true);
  });

  it.each([
    ['a byte', Buffer.from([22])],
    ['a hello that is cut', HELLO.subarray(0, -1)],
    ['what is no TLS', Buffer.from('GET / HTTP/1.1\r\n\r\n'.repeat(20))],
    ['another record', Buffer.concat([Buffer.from([23]), HELLO.subarray(1)])],
  ])('nobody knows: strangers that send %s have no answer to expect', async (_what, bytes) => {
    const silent = await open();
    silent.dataPlane.write(bytes);
    await once(silent.controlPlane, 'data');
    await clock.advance(60_000);
    expect(await isPending(silent.tunnel.answered)).toBe(true);
    silent.controlPlane.end();
    expect(await silent.tunnel.answered).toBeUndefined();
  });

  it('no: silent for 5 s after a hello that came in two pieces', async () => {
    const { controlPlane, dataPlane, tunnel } = await open();
    dataPlane.write(HELLO.subarray(0, 3));
    await once(controlPlane, 'data');
    dataPlane.write(HELLO.subarray(3));
    await once(controlPlane, 'data');
    await clock.advance(5000);
    expect(await tunnel.answered).toBe(false);
  });
});

describe('was a configuration carried?', () => {
  /** Each side says one record, in turns; the data plane begins. Lengths as with TLS 1.2. */
  async function converse({ controlPlane, dataPlane, inner }: Joined, ...lengths: number[]): Promise<void> {
    for (const [turnOf, length] of lengths.entries()) {
      const [from, at] = turnOf % 2 === 0 ? [dataPlane, inner.down] : [controlPlane, inner.up];
      const expected = at.bytesRead + 5 + length;
      from.write(Buffer.concat([Buffer.from([23, 3, 3, length >> 8, length & 255]), Buffer.alloc(length)]));
      while (at.bytesRead < expected) await turn();
      await turn();
    }
  }
  const [REQUEST, SWITCHING, BASIC_INFO, GREETING, PONG, CONFIGURATION] = [400, 200, 14_000, 130, 26, 371];

  it('at the moment when it comes, from the opening on', async () => {
    const both = await open();
    for (const socket of [both.dataPlane, both.controlPlane]) socket.resume();
    await converse(both, REQUEST, SWITCHING, BASIC_INFO, PONG);
    await clock.advance(640);
    expect(await isPending(both.tunnel.carried)).toBe(true);
    await converse(both, 62, CONFIGURATION);
    expect(await both.tunnel.carried).toBe(640);
    expect(both.inner.up.listenerCount('data')).toBe(1);
  });

  it('not by one that says nothing although it is its turn: nobody waits for it', async () => {
    const both = await open();
    for (const socket of [both.dataPlane, both.controlPlane]) socket.resume();
    await converse(both, REQUEST, SWITCHING);
    await clock.advance(999);
    expect(await isPending(both.tunnel.carried)).toBe(true);
    await clock.advance(1);
    expect(await both.tunnel.carried).toBeUndefined();
  });

  it('by one that takes its time while it is the turn of the control plane', async () => {
    const both = await open();
    for (const socket of [both.dataPlane, both.controlPlane]) socket.resume();
    await converse(both, REQUEST, SWITCHING, BASIC_INFO);
    await clock.advance(4000);
    expect(await isPending(both.tunnel.carried)).toBe(true);
    await converse(both, 62, CONFIGURATION);
    expect(await both.tunnel.carried).toBe(4000);
  });

  it('not over /v2/outlet when nothing follows the greeting for a second', async () => {
    const both = await open();
    for (const socket of [both.dataPlane, both.controlPlane]) socket.resume();
    await converse(both, REQUEST, SWITCHING, 600, GREETING);
    await clock.advance(999);
    expect(await isPending(both.tunnel.carried)).toBe(true);
    await clock.advance(1);
    expect(await both.tunnel.carried).toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });

  it('over /v2/outlet when it follows', async () => {
    const both = await open();
    for (const socket of [both.dataPlane, both.controlPlane]) socket.resume();
    await converse(both, REQUEST, SWITCHING, 600, GREETING);
    await clock.advance(300);
    await converse(both, 200, 17_000);
    expect(await both.tunnel.carried).toBe(300);
  });

  it('nobody looks any more after a minute of pings', async () => {
    const both = await open();
    for (const socket of [both.dataPlane, both.controlPlane]) socket.resume();
    await converse(both, REQUEST, SWITCHING, BASIC_INFO, PONG);
    await clock.advance(60_000);
    expect(await isPending(both.tunnel.carried)).toBe(true);
    await clock.advance(1);
    await converse(both, 62, PONG);
    expect(await both.tunnel.carried).toBeUndefined();
    expect(both.inner.down.listenerCount('data')).toBe(1);
  });
});

describe('what it costs once everything is known', () => {
  it('no timer, and nobody looks at the bytes', async () => {
    const { controlPlane, dataPlane, inner, tunnel } = await open();
    dataPlane.write('no TLS at all');
    await once(controlPlane, 'data');
    controlPlane.write('nor here');
    await once(dataPlane, 'data');
    expect(await tunnel.carried).toBeUndefined();
    expect(await tunnel.answered).toBe(true);
    expect(clock.sleeping).toBe(0);
    expect([inner.up.listenerCount('data'), inner.down.listenerCount('data')]).toEqual([1, 1]);
  });

  it('nothing from the start when nobody wants to know', async () => {
    const { inner, tunnel } = await joined(loopback, { clock, observed: false });
    expect([inner.up.listenerCount('data'), inner.down.listenerCount('data')]).toEqual([1, 1]);
    expect([await tunnel.answered, await tunnel.carried]).toEqual([undefined, undefined]);
  });
});

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Writes until nothing moves any more. @returns bytes written */
async function fill(writer: Socket, stuck: Socket): Promise<number> {
  const piece = Buffer.alloc(256 * 1024);
  let sent = 0;
  for (let quiet = 0; quiet < 50; ) {
    await turn();
    if (!writer.writableNeedDrain) {
      writer.write(piece);
      sent += piece.length;
      quiet = 0;
    } else if (stuck.writableNeedDrain) quiet++;
  }
  return sent;
}
