// Whole restores of a new node from what lies in one store.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotCache } from '../../../src/restore/cache.ts';
import { RestoreError } from '../../../src/restore/failure.ts';
import { restore } from '../../../src/restore/pipeline.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { SnapshotStore } from '../../../src/snapshot/snapshot-store.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { MemoryLineStore } from '../snapshot/memory-line-store.ts';
import { aesGcmWith, collected, SIGNAL, sealingWith } from '../snapshot/streams.ts';
import { NOW, SETTINGS } from './restore-world.ts';

interface RestoreVector {
  readonly what: string;
  /** Codes of what failed before something else was restored, or at last. */
  readonly expect: readonly string[];
  readonly cluster: string;
  readonly gatewayVersion: string;
  readonly publicKeys: string[];
  readonly keys: string[];
  readonly objects: Readonly<Record<string, string>>;
  readonly ratchet?: number;
  readonly minimumSequence?: number;
  readonly restored?: string;
}

const root = new URL('../../fixtures/vectors/restores/', import.meta.url);
const all = readdirSync(root).map(
  (file) =>
    [
      file.replace('.json', ''),
      JSON.parse(readFileSync(new URL(file, root), 'utf8')) as RestoreVector,
    ] as const,
);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-vectors-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function restored(vector: RestoreVector): Promise<{ codes: string[]; text?: string }> {
  const { cluster, gatewayVersion, keys, minimumSequence, objects, publicKeys, ratchet } = vector;
  const [line, clock, trust] = [
    { cluster, gatewayVersion },
    new FakeClock({ now: NOW }),
    new Trust(publicKeys),
  ];
  const store = new MemoryLineStore('s3');
  for (const [key, bytes] of Object.entries(objects))
    store.objects.set(key, Uint8Array.from(Buffer.from(bytes, 'base64')));
  const cache = new SnapshotCache(directory, line, clock, directory);
  await cache.prepare();
  if (ratchet !== undefined) await cache.raiseRatchet(ratchet);
  const settings = { ...SETTINGS, ...(minimumSequence !== undefined && { minimumSequence }) };
  const parts = {
    line,
    stores: [new SnapshotStore(store, { ...line, trust })],
    cache,
    sealing: sealingWith(await aesGcmWith(...keys)),
    trust,
    clock,
  };
  const codes: string[] = [];
  try {
    for await (const snapshot of restore(parts, settings, { signal: SIGNAL })) {
      try {
        const text = (await collected(snapshot.open({ signal: SIGNAL }))).toString();
        return {
          codes: [...snapshot.findings.flatMap(({ message }) => /KF_[A-Z_]+/.exec(message) ?? []), ...codes],
          text,
        };
      } catch (error) {
        if (snapshot.streamError === undefined) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    codes.push(...error.failures.map((failure) => failure.error.code));
  } finally {
    await cache.close();
  }
  return { codes };
}

describe('restore vectors', () => {
  it('are all there', () => expect(all.length).toBeGreaterThanOrEqual(18));

  it.each(all)('%s', async (_, vector) => {
    const { codes, text } = await restored(vector);
    expect(text).toBe(vector.restored);
    if (text === undefined) expect(codes).toEqual(vector.expect);
  });
});
