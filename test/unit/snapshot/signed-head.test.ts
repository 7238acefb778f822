import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSigned, openSigned } from '../../../src/snapshot/dsse.ts';
import { decodeHead, encodeHead } from '../../../src/snapshot/head-codec.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { HEAD_PAYLOAD_TYPE } from '../../../src/snapshot/object-keys.ts';
import { encodeSignedHead, openSignedHead } from '../../../src/snapshot/signed-head.ts';
import { errorOf, LINE, sampleEntry, sampleHead, sha256, signingPair } from './sample-head.ts';

const ours = signingPair();
const second = signingPair();
const stranger = signingPair();
const trust = new Trust([ours.publicPem, second.publicPem]);
const nobody = new Trust([]);
const open = (bytes: Uint8Array, keys = trust) =>
  openSignedHead(bytes, LINE, keys, 'storage s3: 3.9.3/head.json');
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const bytes = (value: string) => new Uint8Array(Buffer.from(value, 'utf8'));
const signed = encodeSignedHead(sampleHead(), [ours.signer]);
const withPayload = (change: (head: Record<string, unknown>) => unknown) => {
  const plain = JSON.parse(text(encodeHead(sampleHead()))) as Record<string, unknown>;
  const changed = change(plain) ?? plain;
  return encodeSigned(HEAD_PAYLOAD_TYPE, bytes(JSON.stringify(changed)), [ours.signer]);
};

describe('a signed head', () => {
  it.each([
    ['white space', () => bytes(`${text(signed)}\n`), 'corrupt', 'KF_HEAD_CORRUPT'],
    [
      'another order of members',
      () => {
        const { payload, payloadType, signatures } = JSON.parse(text(signed));
        return bytes(JSON.stringify({ payload, payloadType, signatures }));
      },
      'corrupt',
      'KF_HEAD_CORRUPT',
    ],
    ['an unknown member', () => bytes(text(signed).replace(/}$/, ',"x":1}')), 'corrupt', 'KF_HEAD_CORRUPT'],
    ['no JSON', () => bytes('<Error>AccessDenied</Error>'), 'corrupt', 'KF_HEAD_CORRUPT'],
    ['nothing at all', () => bytes(''), 'corrupt', 'KF_HEAD_CORRUPT'],
    ['null', () => bytes('null'), 'corrupt', 'KF_HEAD_CORRUPT'],
    [
      'a signature that is null',
      () => bytes('{"payloadType":"","payload":"","signatures":[null]}'),
      'corrupt',
      'KF_HEAD_CORRUPT',
    ],
    ['too many bytes', () => new Uint8Array(2 * 1024 * 1024 + 1).fill(32), 'corrupt', 'KF_HEAD_CORRUPT'],
    [
      'a wrong checksum',
      () => {
        const envelope = JSON.parse(text(signed));
        envelope.signatures[1].sig = Buffer.alloc(32).toString('base64');
        return bytes(JSON.stringify(envelope));
      },
      'corrupt',
      'KF_HEAD_CORRUPT',
    ],
    [
      'a checksum that is not last',
      () => {
        const envelope = JSON.parse(text(signed));
        envelope.signatures.reverse();
        return bytes(JSON.stringify(envelope));
      },
      'corrupt',
      'KF_HEAD_CORRUPT',
    ],
    [
      'a damaged key id',
      () => bytes(text(signed).replace(ours.signer.keyId, '0'.repeat(16))),
      'corrupt',
      'KF_HEAD_CORRUPT',
    ],
    [
      'a signature of other bytes under our key id',
      () => {
        const envelope = JSON.parse(text(signed));
        envelope.signatures[0].sig = Buffer.from(ours.signer.sign(bytes('other'))).toString('base64');
        return bytes(JSON.stringify(envelope));
      },
      'corrupt',
      'KF_HEAD_FORGED',
    ],
    [
      'one good signature and one forged',
      () => {
        const envelope = JSON.parse(text(encodeSignedHead(sampleHead(), [ours.signer, second.signer])));
        envelope.signatures[1].sig = envelope.signatures[0].sig;
        return bytes(JSON.stringify(envelope));
      },
      'corrupt',
      'KF_HEAD_FORGED',
    ],
    ['no signature', () => encodeSignedHead(sampleHead(), []), 'denied', 'KF_HEAD_UNSIGNED'],
    [
      "only a stranger's signature",
      () => encodeSignedHead(sampleHead(), [stranger.signer]),
      'denied',
      'KF_HEAD_UNTRUSTED',
    ],
    [
      'another payload type',
      () => encodeSigned('text/plain', bytes('x'), [ours.signer]),
      'corrupt',
      'KF_HEAD_CORRUPT',
    ],
    [
      'a later version',
      () => encodeSigned('application/vnd.kongfallback.head.v2+json', bytes('x'), [ours.signer]),
      'unsupported',
      'KF_HEAD_FORMAT',
    ],
    [
      'a payload that is no JSON',
      () => encodeSigned(HEAD_PAYLOAD_TYPE, bytes('{'), [ours.signer]),
      'corrupt',
      'KF_HEAD_MALFORMED',
    ],
    [
      'a payload that is no UTF-8',
      () => encodeSigned(HEAD_PAYLOAD_TYPE, new Uint8Array([0x22, 0xff, 0x22]), [ours.signer]),
      'corrupt',
      'KF_HEAD_MALFORMED',
    ],
    [
      'a later format',
      () => withPayload((head) => ({ ...head, format: 'kongfallback-head/2' })),
      'unsupported',
      'KF_HEAD_FORMAT',
    ],
    [
      'another cluster',
      () => withPayload((head) => ({ ...head, cluster: 'staging' })),
      'unsupported',
      'KF_HEAD_OTHER_CLUSTER',
    ],
    [
      'another gateway version',
      () => withPayload((head) => ({ ...head, gatewayVersion: '3.9.4' })),
      'unsupported',
      'KF_HEAD_OTHER_VERSION',
    ],
  ] as const)('with %s is refused', async (_, make, kind, code) => {
    const error = await errorOf(() => open(make()));
    expect({ kind: error.kind, code: error.code }).toEqual({ kind, code });
    expect(error.message).toContain('storage s3');
    expect(error.hint).toMatch(/\.$/);
  });

  it('is refused when base64 has slack bits', async () => {
    // Padding leaves bits that decoders ignore; a head with a payload of 1 mod 3 bytes has four of them.
    const head = [0, 1, 2]
      .map((n) => encodeSignedHead(sampleHead({ writer: 'w'.repeat(n + 1) }), [ours.signer]))
      .find((candidate) => JSON.parse(text(candidate)).payload.endsWith('='));
    const payload: string = JSON.parse(text(head as Uint8Array)).payload;
    const at = payload.indexOf('=') - 1;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const slack = alphabet[alphabet.indexOf(payload[at] as string) + 1];
    const altered = `${payload.slice(0, at)}${slack}${payload.slice(at + 1)}`;
    expect(Buffer.from(altered, 'base64')).toEqual(Buffer.from(payload, 'base64'));
    const error = await errorOf(() => open(bytes(text(head as Uint8Array).replace(payload, altered))));
    expect(error).toMatchObject({ kind: 'corrupt', code: 'KF_HEAD_CORRUPT' });
  });

  it.each([
    ['sequence 0', { sequence: 0 }],
    ['a sequence with a fraction', { sequence: 1.5 }],
    ['a sequence above 2^53', { sequence: 2 ** 53 }],
    ['a sequence as text', { sequence: '5' }],
    ['no nonce', { nonce: undefined }],
    ['a nonce in capitals', { nonce: 'A'.repeat(32) }],
    ['a day that does not exist', { aliveAt: '2026-02-30T00:00:00.000Z' }],
    ['a time without milliseconds', { confirmedAt: '2026-02-20T00:00:00Z' }],
    ['another state', { controlPlane: { state: 'sideways', since: '2026-02-20T00:00:00.000Z' } }],
    ['no entries', { entries: [] }],
    ['entries that are an object', { entries: { 0: sampleEntry() } }],
    ['too many entries', { entries: Array.from({ length: 513 }, () => 1) }],
    ['an entry above the head', { entries: [sampleEntry({ sequence: 1_763_000_002 })] }],
    [
      'a key that leads elsewhere',
      { entries: [sampleEntry({ key: '../../staging/3.9.3/snapshots/a.kfs' })] },
    ],
    [
      'a key of other digests',
      { entries: [sampleEntry({ key: `snapshots/${'0'.repeat(16)}-${'0'.repeat(16)}.kfs` })] },
    ],
    [
      'a sealed length of 0',
      { entries: [sampleEntry({ sealed: { sha256: sha256('sealed'), length: 0, encryption: 'none' } })] },
    ],
    [
      'a digest in capitals',
      { entries: [sampleEntry({ document: { sha256: 'A'.repeat(64), length: 1, compression: 'gzip' } })] },
    ],
    ['counts that are negative', { entries: [sampleEntry({ counts: { services: -1 } })] }],
    [
      'too many counts',
      {
        entries: [
          sampleEntry({ counts: Object.fromEntries(Array.from({ length: 513 }, (_, n) => [`c${n}`, 1])) }),
        ],
      },
    ],
    [
      'a severity of its own',
      { entries: [sampleEntry({ findings: [{ code: 'x', severity: 'fatal' as 'error', message: '' }] })] },
    ],
    [
      'a hold without reason',
      {
        hold: { target: sha256('x'), rejected: [], by: 'me', since: '2026-02-20T00:00:00.000Z', until: null },
      },
    ],
    [
      'a delisted key that leads elsewhere',
      { delisted: [{ key: 'head.json', since: '2026-02-20T00:00:00.000Z' }] },
    ],
  ])('with %s is malformed', async (_, change) => {
    const error = await errorOf(() => open(withPayload((head) => ({ ...head, ...change }))));
    expect(error).toMatchObject({ kind: 'corrupt', code: 'KF_HEAD_MALFORMED' });
  });

  it('is not looked into before it is verified', async () => {
    const envelope = encodeSigned(HEAD_PAYLOAD_TYPE, bytes('{"format":"kongfallback-head/99"}'), [
      stranger.signer,
    ]);
    expect(await errorOf(() => open(envelope))).toMatchObject({ code: 'KF_HEAD_UNTRUSTED' });
  });

  it('comes back as it was written, unknown members ignored', () => {
    expect(open(signed)).toEqual({ head: sampleHead(), authenticated: true });
    const later = withPayload((head) => ({ ...head, later: { anything: [1] } }));
    expect(open(later).head).toEqual(sampleHead());
  });

  it('by two keys is believed by readers of either', () => {
    const both = encodeSignedHead(sampleHead(), [stranger.signer, second.signer]);
    expect(open(both).authenticated).toBe(true);
    expect(open(both, new Trust([stranger.publicPem])).authenticated).toBe(true);
  });

  it('is read without keys as unauthenticated, whether signed or not', () => {
    expect(open(signed, nobody).authenticated).toBe(false);
    expect(open(encodeSignedHead(sampleHead(), []), nobody).authenticated).toBe(false);
  });

  it('is never published when readers would refuse it', async () => {
    const error = await errorOf(() => encodeSignedHead(sampleHead({ entries: [] }), [ours.signer]));
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_HEAD_UNWRITABLE' });
    const huge = sampleHead({
      entries: Array.from({ length: 512 }, () =>
        sampleEntry({
          findings: Array.from({ length: 4 }, () => ({
            code: 'x',
            severity: 'warning',
            message: 'm'.repeat(1024),
          })),
        }),
      ),
    });
    expect(await errorOf(() => encodeSignedHead(huge, [ours.signer]))).toMatchObject({
      code: 'KF_HEAD_UNWRITABLE',
    });
    const nine = Array.from({ length: 9 }, () => ours.signer);
    expect(await errorOf(() => encodeSignedHead(sampleHead(), nine))).toMatchObject({
      code: 'KF_HEAD_UNWRITABLE',
    });
  });

  it('of more than 1 MiB is refused before it is parsed', async () => {
    const spaces = new Uint8Array(1024 * 1024 + 1).fill(0x20);
    const error = await errorOf(() => open(encodeSigned(HEAD_PAYLOAD_TYPE, spaces, [ours.signer])));
    expect(error).toMatchObject({ kind: 'corrupt', code: 'KF_HEAD_MALFORMED' });
    expect(error.message).toContain('1048577 bytes');
  });

  it('cuts what a validator wrote too long', () => {
    const finding = { code: 'c'.repeat(500), severity: 'warning', message: 'm'.repeat(5000) } as const;
    const entries = [sampleEntry({ findings: Array.from({ length: 60 }, () => finding) })];
    const { findings } = open(encodeSignedHead(sampleHead({ entries }), [ours.signer])).head.entries[0]!;
    expect(findings).toHaveLength(50);
    expect(findings[0]).toEqual({ code: 'c'.repeat(128), severity: 'warning', message: 'm'.repeat(1024) });
  });

  it('survives any text that JSON can hold', () => {
    const name = fc.string({ minLength: 1, maxLength: 128, unit: 'binary' });
    fc.assert(
      fc.property(
        name,
        fc.dictionary(name, fc.nat(), { maxKeys: 20 }),
        fc.option(name, { nil: null }),
        (writer, counts, version) => {
          const head = sampleHead({
            writer,
            entries: [sampleEntry({ counts, controlPlaneVersion: version })],
          });
          expect(decodeHead(encodeHead(head), LINE, 'x')).toEqual(head);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('fails in no other way on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (junk) => {
        expect(openSigned(junk, HEAD_PAYLOAD_TYPE, trust)).toMatchObject({ refused: 'damaged' });
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(() => decodeHead(bytes(JSON.stringify(value)), LINE, 'x')).toThrow(
          expect.objectContaining({ code: 'KF_HEAD_MALFORMED' }),
        );
      }),
    );
  });
});
