import { createHash } from 'node:crypto';
import memory from '../../plugins/storage/memory/index.ts';
import type { ObjectStore, PutOptions, PutResult } from '../../src/plugin/index.ts';
import { pluginContext } from '../../src/testing/index.ts';
import type { Chance } from './chance.ts';
import type { World } from './world.ts';

export const HEAD_KEY = '3.9.3/head.json';
export const SNAPSHOTS = '3.9.3/';

/** Told of every effect at the moment it happens. */
export interface StorageWatch {
  headWritten(store: ObjectStorage, bytes: Uint8Array, etag: string): void;
  deleted(store: ObjectStorage, key: string): void;
  emptied(store: ObjectStorage): void;
}

/** The bucket itself: the memory plugin, a clock of its own, and who looks on. */
export class ObjectStorage {
  readonly id: string;
  /** False: it answers nobody. */
  up = true;
  /** Counts how often it was emptied; what was sent before that is lost with the rest. */
  life = 0;
  readonly #world: World;
  readonly #skewMs: number;
  readonly #watch: StorageWatch;
  readonly #digests = new Map<string, string>();
  readonly #signal = new AbortController().signal;
  #objects: ObjectStore;

  private constructor(id: string, world: World, skewMs: number, watch: StorageWatch, objects: ObjectStore) {
    this.id = id;
    this.#world = world;
    this.#skewMs = skewMs;
    this.#watch = watch;
    this.#objects = objects;
  }

  static async create(id: string, world: World, skewMs: number, watch: StorageWatch): Promise<ObjectStorage> {
    const now = () => world.now + skewMs;
    const clock = { now, monotonic: () => world.now, sleep: async () => {} };
    const objects = await memory.create({}, pluginContext({ id, clock }));
    return new ObjectStorage(id, world, skewMs, watch, objects);
  }

  /** Whole seconds, as HTTP tells it. */
  get serverTime(): Date {
    return new Date(Math.floor((this.#world.now + this.#skewMs) / 1000) * 1000);
  }

  /** A true time as this store's clock showed it. */
  wallAt(time: number): number {
    return time + this.#skewMs;
  }

  get objects(): ObjectStore {
    return this.#objects;
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult> {
    const result = await this.#objects.put(key, body, options);
    this.#digests.set(key, createHash('sha256').update(body).digest('hex'));
    if (key === HEAD_KEY) this.#watch.headWritten(this, body, result.etag);
    return { ...result, serverTime: this.serverTime };
  }

  async delete(key: string): Promise<void> {
    await this.#objects.delete(key, { signal: this.#signal });
    this.#digests.delete(key);
    this.#watch.deleted(this, key);
  }

  /** SHA-256 of a snapshot as it is stored. */
  digest(key: string): string | undefined {
    return this.#digests.get(SNAPSHOTS + key);
  }

  async head(): Promise<Uint8Array | undefined> {
    const found = await this.#objects.get(HEAD_KEY, { signal: this.#signal });
    if (found === undefined || found === 'not-modified') return undefined;
    for await (const piece of found.body) return piece;
    return undefined;
  }

  async replaceHead(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.put(HEAD_KEY, bytes, { signal: this.#signal });
  }

  /** A new, empty bucket under the same name. */
  async empty(): Promise<void> {
    this.life++;
    for (const key of [...this.#digests.keys()]) {
      await this.#objects.delete(key, { signal: this.#signal });
    }
    this.#digests.clear();
    this.#watch.emptied(this);
  }
}

export interface NetworkFaults {
  /** Chance of each, for each request. */
  readonly lost: number;
  readonly answerLost: number;
  /** The same PUT arrives a second time, later. */
  readonly duplicated: number;
  readonly slow: number;
}

/** One way, milliseconds. */
export function latency(chance: Chance, faults: NetworkFaults): number {
  return chance.is(faults.slow) ? chance.between(500, 6000) : chance.between(5, 120);
}
