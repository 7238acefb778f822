import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FramePhase, FrameWatch } from '../../../../src/relay/tunnel/frame-watch.ts';
import { clusterCertificate, TestAuthority } from '../../../stand-in/certificates.ts';
import { recordedFile, recordedFrame } from '../../../stand-in/frames.ts';
import { type Conversation, frame, type Piece, type Recording, record } from './tunnel-recording.ts';

const cluster = clusterCertificate();
const [BINARY, PING, PONG] = [2, 9, 10];
const VERSIONS = ['3.4.2', '3.5.0', '3.6.1', '3.7.1', '3.8.1', '3.9.3'];

const basicInfo = (version: string) =>
  recordedFile(
    version === '3.9.3' ? 'data-plane/basic-info.json' : `older-versions/${version}/basic-info.json`,
  );
const ping = (payload = '0'.repeat(32)) => frame(PING, Buffer.from(payload), true);
const pong = frame(PONG, Buffer.alloc(0), false);
const configuration = (bytes: Buffer) => frame(BINARY, bytes, false);

const EMPTY = recordedFrame('empty');

function conversation(changes: Partial<Conversation> = {}): Conversation {
  return {
    version: 'TLSv1.3',
    server: cluster,
    client: cluster,
    says: [frame(BINARY, basicInfo('3.9.3'), true), ping()],
    answers: [configuration(EMPTY), pong],
    ...changes,
  };
}

function fed(pieces: readonly Piece[], size: number, watch = new FrameWatch()): FrameWatch {
  for (const { bytes, from } of pieces) {
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      if (from === 'data-plane') watch.dataPlaneSent(part);
      else watch.controlPlaneSent(part);
    }
  }
  return watch;
}

/** The phase before the control plane answers and after it, whole and a byte at a time. */
function phases({ after, before }: Recording): [FramePhase, FramePhase] {
  const [whole, bytewise] = [Number.POSITIVE_INFINITY, 1].map((size): [FramePhase, FramePhase] => {
    const watch = fed(before, size);
    return [watch.phase, fed(after, size, watch).phase];
  });
  expect(bytewise).toEqual(whole);
  return whole ?? ['given-up', 'given-up'];
}

const TLS: readonly (readonly [string, Partial<Conversation>])[] = [
  ['TLS 1.3, AES-256', { version: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' }],
  ['TLS 1.3, AES-128', { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }],
  ['TLS 1.3, ChaCha20', { version: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }],
  ['TLS 1.3, asked when the tickets are through', { version: 'TLSv1.3', asksLate: true }],
  ['TLS 1.2, AES-256', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }],
  ['TLS 1.2, ChaCha20', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
  ['TLS 1.2, CBC', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA' }],
];

describe.each(TLS)('%s', (_name, tls) => {
  it('the empty configuration, 346 bytes, is seen; not before it comes', async () => {
    expect(phases(await record(conversation(tls)))).toEqual(['introduced', 'carried']);
  });

  it('so is one of a megabyte, after the pong', async () => {
    const answers = [pong, configuration(randomBytes(1 << 20))];
    expect(phases(await record(conversation({ ...tls, answers })))).toEqual(['introduced', 'carried']);
  });

  it('a control plane that sends pongs only has carried nothing', async () => {
    const answers = Array.from({ length: 100 }, () => pong);
    expect(phases(await record(conversation({ ...tls, answers })))).toEqual(['introduced', 'introduced']);
  });

  it('nor has one that closes', async () => {
    const answers = [frame(8, Buffer.alloc(0), false)];
    expect(phases(await record(conversation({ ...tls, answers })))).toEqual(['introduced', 'introduced']);
  });

  it('without a client certificate it is the same', async () => {
    const { client: _none, ...anonymous } = conversation(tls);
    expect(phases(await record(anonymous))).toEqual(['introduced', 'carried']);
  });

  it('a long chain of client certificates is no introduction', async () => {
    const authority = new TestAuthority();
    const client = authority.leaf({
      names: Array.from({ length: 60 }, (_, n) => `dp-${n}.gateways.internal`),
    });
    const long = { client, clientChain: authority.certificate.repeat(3) };
    expect(phases(await record(conversation({ ...tls, ...long, says: [ping()] })))).toEqual([
      'introduced',
      'carried',
    ]);
  });
});

describe.each(VERSIONS)('a data plane of %s', (version) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', async (tls) => {
    const says = [frame(BINARY, basicInfo(version), true), ping()];
    const answers = [
      pong,
      configuration(recordedFrame(version === '3.9.3' ? 'mixed' : `older-versions/${version}/frame`)),
    ];
    expect(phases(await record(conversation({ version: tls, says, answers })))).toEqual([
      'introduced',
      'carried',
    ]);
  });
});

describe('other conversations', () => {
  it('the empty ping of old versions', async () => {
    const says = [frame(BINARY, basicInfo('3.4.2'), true), ping('')];
    expect(phases(await record(conversation({ says })))).toEqual(['introduced', 'carried']);
  });

  it('/v2/outlet: a greeting is no configuration, what follows it is', async () => {
    const rpc = (name: string) =>
      frame(BINARY, readFileSync(new URL(`../../../fixtures/captures/rpc/${name}`, import.meta.url)), false);
    const says = [frame(1, Buffer.alloc(600, ' '), true)];
    const greeting = frame(BINARY, Buffer.alloc(110), false);
    expect(phases(await record(conversation({ says, answers: [greeting] })))).toEqual([
      'introduced',
      'replied',
    ]);
    const answers = [greeting, rpc('frame-2.bin')];
    expect(phases(await record(conversation({ says, answers })))).toEqual(['introduced', 'carried']);
  });

  it('a handshake of TLS 1.3 in other records: known by the size of the introduction', () => {
    const watch = new FrameWatch();
    const say = (from: Piece['from'], ...lengths: number[]) =>
      fed(
        lengths.map((length) => ({ from, bytes: applicationData(length) })),
        16_384,
        watch,
      );
    say('control-plane', 900);
    say('data-plane', 2500, 400);
    say('control-plane', 1200, 1200, 300);
    expect(watch.phase).toBe('handshake');
    say('data-plane', 14_600, 55);
    say('control-plane', 19);
    expect(watch.phase).toBe('introduced');
    say('control-plane', 363);
    expect(watch.phase).toBe('carried');
  });
});

describe('no TLS', () => {
  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['zeros', Buffer.alloc(100)],
    ['SSL 2', Buffer.from('802e0100020015000000', 'hex')],
    ['a record of 64 KiB', Buffer.from('170303ffff00', 'hex')],
    ['TLS, then none', Buffer.concat([applicationData(30), Buffer.from('HTTP/1.1')])],
  ])('%s: given up, whoever sends it', (_what, bytes) => {
    expect(fed([{ from: 'data-plane', bytes }], 1).phase).toBe('given-up');
    expect(fed([{ from: 'control-plane', bytes }], 100).phase).toBe('given-up');
  });

  it('a hundred thousand random pieces: never throws', () => {
    for (let n = 0; n < 100_000; n++) {
      const watch = new FrameWatch();
      watch.dataPlaneSent(randomBytes(20));
      watch.controlPlaneSent(randomBytes(20));
      watch.dataPlaneSent(randomBytes(20));
      if (watch.phase === 'carried') throw new Error('carried');
    }
  });
});

function applicationData(length: number): Buffer {
  return Buffer.concat([Buffer.from([23, 3, 3, length >> 8, length & 255]), Buffer.alloc(length)]);
}
