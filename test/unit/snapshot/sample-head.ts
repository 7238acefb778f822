import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Head, SnapshotEntry } from '../../../src/snapshot/head.ts';
import { Signer } from '../../../src/snapshot/keys.ts';
import { snapshotKey } from '../../../src/snapshot/object-keys.ts';

export const LINE = { cluster: 'production', gatewayVersion: '3.9.3' };

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

export function sampleEntry(changes: Partial<SnapshotEntry> = {}): SnapshotEntry {
  const document = changes.document ?? { sha256: sha256('document'), length: 8, compression: 'gzip' };
  const sealed = changes.sealed ?? { sha256: sha256('sealed'), length: 6, encryption: 'envelope' };
  return {
    sequence: 1_763_000_000,
    key: snapshotKey(document.sha256, sealed.sha256),
    sealed,
    document,
    configHash: '0123456789abcdef0123456789abcdef',
    hashes: { config: '0123456789abcdef0123456789abcdef', routes: '0'.repeat(32) },
    counts: Object.fromEntries([
      ['services', 2],
      ['__proto__', 1],
    ]),
    plugins: ['key-auth', 'rate-limiting'],
    asOf: '2026-11-21T11:02:04.000Z',
    exportedAt: '2026-11-21T11:02:05.000Z',
    writer: 'exporter-1',
    controlPlaneVersion: '3.9.3',
    loadableUntil: null,
    findings: [{ code: 'kong-schema/unknown-field', severity: 'warning', message: 'services has a field ü' }],
    accepted: { codes: ['shrinkage/collection'], reason: 'moved to another fleet', by: 'ops' },
    ...changes,
  };
}

export function sampleHead(changes: Partial<Head> = {}): Head {
  return {
    format: 'kongfallback-head/1',
    ...LINE,
    sequence: 1_763_000_001,
    writer: 'exporter-1',
    nonce: 'a'.repeat(32),
    aliveAt: '2026-11-21T11:02:05.000Z',
    confirmedAt: '2026-11-21T11:02:05.000Z',
    controlPlane: { state: 'up', since: '2026-11-20T00:00:00.000Z' },
    hold: null,
    entries: [sampleEntry()],
    delisted: [{ key: snapshotKey(sha256('old'), sha256('older')), since: '2026-11-20T11:02:05.000Z' }],
    ...changes,
  };
}

export interface SigningPair {
  readonly signer: Signer;
  readonly privatePem: string;
  readonly publicPem: string;
}

export function signingPair(): SigningPair {
  const pair = generateKeyPairSync('ed25519');
  const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  return { signer: new Signer(privatePem, 'signing.privateKey'), privatePem, publicPem };
}

/** The error that a call ends with; fails the test when it succeeds. */
export async function errorOf(
  work: () => unknown,
): Promise<Error & { kind?: string; code?: string; hint?: string }> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it should have failed');
}
