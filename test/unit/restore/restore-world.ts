import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SnapshotCache } from '../../../src/restore/cache.ts';
import type { RestoredSnapshot } from '../../../src/restore/candidate.ts';
import { type RestoreSettings, restore } from '../../../src/restore/pipeline.ts';
import { snapshotContext } from '../../../src/snapshot/context.ts';
import type { Head, SnapshotEntry } from '../../../src/snapshot/head.ts';
import { type Signer, Trust } from '../../../src/snapshot/keys.ts';
import { snapshotKey } from '../../../src/snapshot/object-keys.ts';
import type { Sealing } from '../../../src/snapshot/sealing.ts';
import { encodeSignedHead, SnapshotStore } from '../../../src/snapshot/snapshot-store.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { MemoryLineStore } from '../snapshot/memory-line-store.ts';
import { LINE, sampleEntry, sampleHead, sha256, signingPair } from '../snapshot/sample-head.ts';
import { aesGcmWith, collected, SIGNAL, sealingWith } from '../snapshot/streams.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);
export const KEY = Buffer.alloc(32, 7).toString('hex');
export const HEAD_KEY = '3.9.3/head.json';

export const SETTINGS: RestoreSettings = {
  resolveMs: 5000,
  recentMs: 60_000,
  maxSealedBytes: 1_000_000,
  maxDocumentBytes: 1_000_000,
};

export interface Sealed {
  readonly document: Buffer;
  readonly entry: SnapshotEntry;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A node, its stores and what an exporter put there. */
export class World {
  readonly clock = new FakeClock({ now: NOW });
  readonly pair = signingPair();
  readonly stores = [new MemoryLineStore('s3'), new MemoryLineStore('dr')];
  readonly directory: string;
  sealing: Sealing;
  signers: readonly Signer[];
  trust: Trust;
  settings = SETTINGS;
  #caches: SnapshotCache[] = [];

  static async create(): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'kongfallback-test-'));
    return new World(directory, sealingWith(await aesGcmWith(KEY)));
  }

  constructor(directory: string, sealing: Sealing) {
    this.directory = directory;
    this.sealing = sealing;
    this.signers = [this.pair.signer];
    this.trust = new Trust([this.pair.publicPem]);
  }

  async seal(
    text: string,
    changes: Partial<SnapshotEntry> = {},
    gzip: Buffer = gzipSync(text),
  ): Promise<Sealed> {
    const document = Buffer.from(text);
    const context = snapshotContext({ ...LINE, documentSha256: sha256(document) });
    const { encryption, bytes } = await this.sealing.seal(gzip, context, { signal: SIGNAL });
    const entry = sampleEntry({
      document: { sha256: sha256(document), length: document.length, compression: 'gzip' },
      sealed: { sha256: sha256(bytes), length: bytes.length, encryption },
      key: snapshotKey(sha256(document), sha256(bytes)),
      configHash: sha256(document).slice(0, 32),
      ...changes,
    });
    return { document, entry, bytes };
  }

  head(snapshots: readonly Sealed[], changes: Partial<Head> = {}): Uint8Array<ArrayBuffer> {
    const entries = snapshots.map(({ entry }) => entry);
    return encodeSignedHead(sampleHead({ entries, delisted: [], ...changes }), this.signers);
  }

  /** The first snapshot is current. */
  publish(snapshots: readonly Sealed[], changes: Partial<Head> = {}, stores = this.stores): void {
    const head = this.head(snapshots, changes);
    for (const store of stores) {
      store.objects.set(HEAD_KEY, head);
      for (const { entry, bytes } of snapshots) store.objects.set(`3.9.3/${entry.key}`, bytes);
    }
  }

  cache(directory = join(this.directory, 'cache')): SnapshotCache {
    const cache = new SnapshotCache(directory, LINE, this.clock, this.directory);
    this.#caches.push(cache);
    return cache;
  }

  candidates(cache = this.cache(), signal = SIGNAL): AsyncGenerator<RestoredSnapshot, never, undefined> {
    const { clock, sealing, trust } = this;
    const stores = this.stores.map((store) => new SnapshotStore(store, { ...LINE, trust }));
    return restore({ line: LINE, stores, cache, sealing, trust, clock }, this.settings, { signal });
  }

  /** As a bootstrap does: the first candidate that can be read to its end, remembered. */
  async restored(
    cache = this.cache(),
  ): Promise<{ readonly snapshot: RestoredSnapshot; readonly document: Buffer }> {
    for await (const snapshot of this.candidates(cache)) {
      try {
        const document = await collected(snapshot.open({ signal: SIGNAL }));
        await snapshot.remember();
        return { snapshot, document };
      } catch (error) {
        if (snapshot.streamError === undefined) throw error;
      }
    }
    throw new Error('a restore without a candidate throws');
  }

  /** Lets a store hang when it is asked for its head; resolves then, with what lets it answer. */
  hold(index: number): Promise<() => void> {
    return new Promise((asked) => {
      const store = this.stores[index] as MemoryLineStore;
      store.before = (operation) =>
        operation === 'read' ? new Promise<void>((answer) => asked(answer)) : undefined;
    });
  }

  async close(): Promise<void> {
    for (const cache of this.#caches) await cache.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
