import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { peekFrame, readFrame } from '../../../src/kong/frame.ts';
import { probeControlPlane } from '../../../src/kong/probe.ts';
import { buildFrame } from '../../../src/relay/copy/build-frame.ts';
import { frameHeaderBytes } from '../../../src/relay/copy/frame-header.ts';
import { encodeFrame, recordedDocument } from '../../stand-in/frames.ts';
import { failureOf, mixed, session, sessionOptions, standIn, stoppedClock } from './session-fixture.ts';

/** What a relay sends while it stands in, as it arrives. */
async function relayed(configHash: string | null = 'efc54e13b9dcea24a87f55f3ba401936'): Promise<Buffer> {
  async function* document() {
    yield recordedDocument('mixed');
  }
  const facts = {
    configHash,
    hashes: null,
    timestampSeconds: 1,
    sequence: 7,
    asOf: '2026-11-21T11:02:04.000Z',
  };
  const { pieces } = await buildFrame(document(), facts, { signal: new AbortController().signal });
  const frame = Buffer.concat(pieces);
  return frame.subarray(frameHeaderBytes(frame));
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    const { kind, code, hint } = error as { kind: string; code: string; hint?: string };
    return `${kind} ${code}${hint === undefined ? ' without a hint' : ''}`;
  }
  return 'nothing thrown';
};

describe("a stand-in's frame, on a link that does not say so", () => {
  test.each([[undefined], [null]])('is seen by a peek and refused by a read (%s)', async (configHash) => {
    const frame = await relayed(configHash);
    expect(peekFrame(frame).standIn).toBe(true);
    expect(codeOf(() => readFrame(frame))).toBe('unavailable KF_CP_STAND_IN');
  });

  test('ends a session, also after a configuration, and nothing of it is handed on', async () => {
    const controlPlane = await standIn();
    const one = await session(controlPlane.address);
    const frames = one.frames();
    expect((await frames.next()).value?.ordinal).toBe(1);
    controlPlane.setFrame(await relayed());
    expect(await failureOf(frames.next())).toBe('unavailable KF_CP_STAND_IN');
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
  });

  test('is no control plane to a probe', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ frames: await relayed() });
    const health = await probeControlPlane(sessionOptions(controlPlane.address, { clock }));
    expect(health).toMatchObject({
      reachable: false,
      reason: 'KF_CP_STAND_IN',
      message: expect.stringContaining(controlPlane.address),
      hint: expect.stringContaining('relay'),
    });
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    expect(clock.sleeping).toBe(0);
  });
});

describe('the mark', () => {
  test.each([
    ['as we write it', { stand_in: true }],
    ['of another version', 2],
    ['null', null],
    ['false', false],
  ])('counts whatever its value: %s', (_, value) => {
    const text = `{"type":"reconfigure","kongfallback":${JSON.stringify(value)},"config_table":{}}`;
    const frame = gzipSync(text);
    expect(peekFrame(frame).standIn).toBe(true);
    expect(codeOf(() => readFrame(frame))).toBe('unavailable KF_CP_STAND_IN');
  });

  test.each([
    ['kongfallback', '"kongfallback"'],
    ['escaped', '"kong\\u0066allback"'],
  ])('behind the table is found by a read: %s', (_, key) => {
    const table = JSON.stringify({ services: Array.from({ length: 2000 }, (__, n) => ({ name: `s${n}` })) });
    const frame = gzipSync(`{"type":"reconfigure","config_table":${table},${key}:{"stand_in":true}}`);
    expect(codeOf(() => readFrame(frame))).toBe('unavailable KF_CP_STAND_IN');
  });

  test('is none within the table, nor of a real control plane', () => {
    const frame = encodeFrame({ kongfallback: { stand_in: true } }, { extra: { x: { kongfallback: 1 } } });
    expect(peekFrame(frame).standIn).toBeUndefined();
    expect(codeOf(() => readFrame(frame))).toBe('nothing thrown');
    expect(peekFrame(mixed).standIn).toBeUndefined();
    expect(gunzipSync(mixed).includes('kongfallback')).toBe(false);
  });
});
