import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { estimatedFrameBytes } from '../../../../plugins/validator/limits/frame-estimate.ts';
import limits from '../../../../plugins/validator/limits/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { documentPieces } from '../../../bench/generate.ts';
import { recordedDocument } from '../../../stand-in/frames.ts';
import { issuesOf } from './judge.ts';

const MIB = 2 ** 20;

/** Judges bytes as they are: what they hold does not matter here. */
async function find(bytes: Uint8Array, settings: object = {}, gatewayVersion = '3.9.3') {
  const checked = await limits.settings['~standard'].validate(settings);
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  const validator = await limits.create(checked.value, pluginContext());
  const context = { cluster: 'c', gatewayVersion, fromControlPlane: true, counts: {}, now: 0 };
  return validator.validate({ bytes, table: {} }, context, { signal: new AbortController().signal });
}

/** Bytes that hardly compress: `Math.imul` of a counter, so that every run sees the same ones. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = 1; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

describe('the frame', () => {
  it('that a data plane would not receive warns, with both sizes', async () => {
    expect(await find(noise(2 * MIB), { maxPayloadBytes: MIB })).toMatchObject([
      {
        code: 'limits/payload',
        severity: 'warning',
        message: expect.stringMatching(/about 2\.0 MiB: a data plane receives no more than 1\.0 MiB/),
        hint: expect.stringContaining('cluster_max_payload'),
      },
    ]);
  });

  it('warns from 80 % on', async () => {
    expect(await find(noise(0.9 * MIB), { maxPayloadBytes: MIB })).toMatchObject([
      { message: expect.stringMatching(/\b90 % of the 1\.0 MiB/) },
    ]);
    expect(await find(noise(0.79 * MIB), { maxPayloadBytes: MIB })).toEqual([]);
  });

  it.each([
    ['3.3.1', 3.3, true],
    ['3.3.1', 3.1, false],
    ['3.4.0', 3.3, false],
    ['3.4.0', 13, true],
    ['2.8.4', 3.3, true],
  ])('is held against what Kong %s receives: %d MiB', async (version, mebibytes, warns) => {
    const codes = (await find(noise(mebibytes * MIB), {}, version)).map(({ code }) => code);
    expect(codes.includes('limits/payload')).toBe(warns);
  });

  it('of a large document that compresses well is no matter', async () => {
    expect(await find(Buffer.alloc(64 * MIB, 'abcdefgh'))).toEqual([]);
  });

  it.each([
    ['recorded', () => recordedDocument('bulk15k')],
    ['generated', () => Buffer.from([...documentPieces({ entities: 20_000, seed: 7 })].join(''))],
  ])('is estimated within 15 %: %s', (_what, document) => {
    const bytes = document();
    const real = gzipSync(bytes, { level: 6 }).length;
    const estimate = estimatedFrameBytes(bytes);
    expect(Math.abs(estimate - real) / real).toBeLessThan(0.15);
  });
});

describe('the LMDB map', () => {
  const settings = { lmdbMapBytes: 100 * MIB, maxPayloadBytes: 1024 * MIB };
  it.each([
    [11, []],
    [12, ['limits/lmdb']],
    [18, ['limits/lmdb-nearly-full']],
    [30, ['limits/lmdb-nearly-full']],
  ])('at 4.5 bytes each, %d MiB in 100 gives %j', async (mib, codes) => {
    const found = await find(Buffer.alloc(mib * MIB), settings);
    expect(found.map(({ code }) => code)).toEqual(codes);
    for (const { severity, hint } of found) {
      expect(severity).toBe('warning');
      expect(hint).toContain('lmdb_map_size');
    }
  });

  it.each([
    ['2.8.4', 1],
    ['3.3.1', 1],
    ['3.4.0', 0],
    ['3.10.0', 0],
    ['4.0.0', 0],
  ])('has the size that Kong %s gives it', async (version, findings) => {
    expect(await find(Buffer.alloc(20 * MIB), {}, version)).toHaveLength(findings);
  });
});

it('the longest document that can be exported warns at 80 %', async () => {
  const settings = { lmdbMapBytes: 2 ** 40, maxPayloadBytes: 1024 * MIB };
  expect(await find(Buffer.alloc(409 * MIB), settings)).toEqual([]);
  expect(await find(Buffer.alloc(410 * MIB), settings)).toMatchObject([
    { code: 'limits/document', severity: 'warning', message: expect.stringContaining('80 %') },
  ]);
});

describe('settings', () => {
  it.each([
    [null],
    [[]],
    [{ maxPayloadBytes: 1 }],
    [{ maxPayloadBytes: 2 ** 20 + 0.5 }],
    [{ maxPayloadBytes: '16 MiB' }],
    [{ lmdbMapBytes: 0 }],
    [{ lmdbMapSize: 1 }],
  ])('%j are refused', async (settings) => {
    expect(await issuesOf(limits, settings)).toHaveLength(1);
  });
});
