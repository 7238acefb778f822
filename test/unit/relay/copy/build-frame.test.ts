import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { peekFrame, readFrame } from '../../../../src/kong/index.ts';
import { buildFrame, type FrameFacts } from '../../../../src/relay/copy/build-frame.ts';
import { frameHeader, frameHeaderBytes } from '../../../../src/relay/copy/frame-header.ts';
import type { PreparedFrame } from '../../../../src/relay/prepared-frame.ts';
import { errorOf } from '../../snapshot/sample-head.ts';
import { inPieces, SIGNAL } from '../../snapshot/streams.ts';

const FACTS: FrameFacts = {
  configHash: 'ce111cfab695166fc51ce9e8cb1905a0',
  hashes: { config: 'ce111cfab695166fc51ce9e8cb1905a0', routes: '0'.repeat(32) },
  timestampSeconds: 1_795_262_400.5,
  sequence: 1_763_000_001,
  asOf: '2026-11-21T11:02:04.000Z',
};
const LARGEST_PIECE = 256 * 1024;

const capture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../fixtures/captures/${name}`, import.meta.url)));

const built = (document: Uint8Array, facts: Partial<FrameFacts> = {}, sizes = [1, 70_000, 13]) =>
  buildFrame(inPieces(document, sizes), { ...FACTS, ...facts }, { signal: SIGNAL });

/** As a data plane reads it: the header by the letter of RFC 6455, then one message. */
function payloadOf({ pieces, length }: PreparedFrame): Buffer {
  const whole = Buffer.concat(pieces);
  expect(whole.length).toBe(length);
  for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(LARGEST_PIECE);
  expect(whole[0]).toBe(0x82);
  const short = whole[1] as number;
  expect(short & 0x80).toBe(0);
  const [at, bytes] =
    short < 126
      ? [2, short]
      : short === 126
        ? [4, whole.readUInt16BE(2)]
        : [10, Number(whole.readBigUInt64BE(2))];
  expect(whole.length - at).toBe(bytes);
  expect(frameHeaderBytes(pieces[0] as Buffer)).toBe(at);
  return whole.subarray(at);
}

/** Does not compress. */
function noise(bytes: number): Buffer {
  let seed = 12345;
  const next = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 16) & 0xff;
  };
  return Buffer.from(Uint8Array.from({ length: bytes }, next)).subarray(0, bytes);
}

describe('a frame that is not built', () => {
  it('ends with the error of the document', async () => {
    async function* broken() {
      yield Buffer.from('{"services":');
      throw Object.assign(new Error('damaged'), { kind: 'corrupt', code: 'KF_DOCUMENT_CORRUPT' });
    }
    expect(await errorOf(() => buildFrame(broken(), FACTS, { signal: SIGNAL }))).toMatchObject({
      code: 'KF_DOCUMENT_CORRUPT',
    });
  });

  it('is not begun for a signal that has fired, and the document is not opened', async () => {
    let opened = false;
    async function* document() {
      opened = true;
      yield Buffer.from('{}');
    }
    const work = () => buildFrame(document(), FACTS, { signal: AbortSignal.abort() });
    expect(await errorOf(work)).toMatchObject({ kind: 'aborted' });
    expect(opened).toBe(false);
  });

  it('is given up with the signal while the document hangs, which is closed', async () => {
    const stop = new AbortController();
    let closed = false;
    async function* hanging() {
      try {
        yield Buffer.from('{"a":');
        setImmediate(() => stop.abort());
        await new Promise((_, reject) =>
          stop.signal.addEventListener('abort', () => reject(new Error('end'))),
        );
      } finally {
        closed = true;
      }
    }
    expect(await errorOf(() => buildFrame(hanging(), FACTS, { signal: stop.signal }))).toMatchObject({
      kind: 'aborted',
    });
    expect(closed).toBe(true);
  });
});

describe('a frame', () => {
  it.each(['empty', 'mixed', 'delta', 'bulk15k'])(
    'around the document that a real control plane sent (%s) holds its very bytes',
    async (name) => {
      const { document, configHash, hashes } = readFrame(capture(`control-plane/${name}/frame-1.json.gz`));
      const payload = payloadOf(await built(document, { configHash, hashes }));
      const message = gunzipSync(payload).toString('latin1');
      const start = message.indexOf('"config_table":') + '"config_table":'.length;
      expect(Buffer.from(message.slice(start, -1), 'latin1').equals(document)).toBe(true);
      expect(JSON.parse(Buffer.from(message, 'latin1').toString())).toMatchObject({
        type: 'reconfigure',
        config_hash: configHash,
        hashes,
      });
    },
  );

  it('says what it is before the table, for whoever reads the first kilobytes', async () => {
    const payload = payloadOf(await built(Buffer.from('{"_format_version":"3.0"}')));
    expect(gunzipSync(payload).toString()).toBe(
      '{"type":"reconfigure","timestamp":1795262400.5,"config_hash":"ce111cfab695166fc51ce9e8cb1905a0",' +
        `"hashes":{"config":"ce111cfab695166fc51ce9e8cb1905a0","routes":"${'0'.repeat(32)}"},` +
        '"kongfallback":{"stand_in":true,"sequence":1763000001,"as_of":"2026-11-21T11:02:04.000Z"},' +
        '"config_table":{"_format_version":"3.0"}}',
    );
    expect(peekFrame(payload).configHash).toBe(FACTS.configHash);
  });

  it('without a hash that the control plane gave leaves it out: the data plane computes it', async () => {
    const payload = payloadOf(await built(Buffer.from('{}'), { configHash: null, hashes: null }));
    expect(Object.keys(JSON.parse(gunzipSync(payload).toString()))).toEqual([
      'type',
      'timestamp',
      'kongfallback',
      'config_table',
    ]);
  });

  it('is one gzip member', async () => {
    const payload = payloadOf(await built(noise(300_000)));
    const member = Buffer.from([0x1f, 0x8b, 8]);
    const { engine } = gunzipSync(payload, { info: true } as object) as unknown as {
      engine: { bytesWritten: number };
    };
    expect(payload.indexOf(member)).toBe(0);
    expect(engine.bytesWritten).toBe(payload.length);
  });

  it('of every size around a piece is whole', async () => {
    for (const around of [LARGEST_PIECE, 2 * LARGEST_PIECE]) {
      for (let bytes = around - 420; bytes <= around - 340; bytes += 10) {
        const document = noise(bytes);
        const message = gunzipSync(payloadOf(await built(document, {}, [100_000])));
        expect(message.indexOf(document)).toBeGreaterThan(0);
      }
    }
  });
});

it.each([
  [0, '8200'],
  [125, '827d'],
  [126, '827e007e'],
  [65_535, '827effff'],
  [65_536, '827f0000000000010000'],
  [5_000_000_000, '827f000000012a05f200'],
])('the header of %d bytes', (bytes, hex) => {
  const header = frameHeader(bytes);
  expect(header.toString('hex')).toBe(hex);
  expect(frameHeaderBytes(header)).toBe(header.length);
});
