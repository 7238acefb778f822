import { afterEach, describe, expect, test } from 'vitest';
import { EMPTY_HASH } from '../../../../src/kong/index.ts';
import {
  recordedProvision,
  StandInAtWork,
  type StandInAtWorkOptions,
} from '../../../stand-in/data-plane-relay.ts';
import { recordedFrame } from '../../../stand-in/frames.ts';

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
