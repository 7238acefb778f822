import { FallbackError } from '../../src/errors/index.ts';
import type { ObjectStore, PutOptions } from '../../src/plugin/index.ts';
import type { Chance } from './chance.ts';
import { HEAD_KEY, latency, type NetworkFaults, type ObjectStorage } from './object-storage.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** What a process has read or written of a head, for the check that its evidence is younger. */
export interface HeadLog {
  answered(store: string, etag: string | undefined): void;
  swapping(store: string, etag: string | undefined): void;
}

/** One process's way to one store: latency, losses, duplicates, and nothing while the process is stopped. */
export function storeLink(
  world: World,
  chance: Chance,
  process: SimProcess,
  storage: ObjectStorage,
  faults: () => NetworkFaults,
  log: HeadLog,
): ObjectStore {
  const request = <T>(effect: () => Promise<T>, again?: () => Promise<unknown>): Promise<T> =>
    new Promise((resolve, reject) => {
      const now = faults();
      const sent = process.now + latency(chance, now);
      const back = latency(chance, now);
      const { life } = storage;
      const fail = () => reject(gone(storage.id));
      const act = async (): Promise<void> => {
        if (!storage.up || chance.is(now.lost)) {
          // Refused, or a black hole until the deadline.
          if (chance.is(0.7)) world.after(back, fail, process);
          return;
        }
        const result = effect();
        const isLost = chance.is(now.answerLost);
        result.then(
          (value) => world.after(back, isLost ? fail : () => resolve(value), process),
          (error: unknown) => world.after(back, isLost ? fail : () => reject(error as Error), process),
        );
      };
      world.at(sent, () => void act());
      if (again === undefined || !chance.is(now.duplicated)) return;
      world.at(sent + chance.gap(20_000), () => {
        if (storage.up && storage.life === life) void again().catch(() => {});
      });
    });

  const { signal } = new AbortController();
  return {
    get: async (key, options) => {
      const found = await request(async () => {
        const answer = await storage.objects.get(key, { ...options, signal });
        return answer === undefined || answer === 'not-modified'
          ? answer
          : { ...answer, serverTime: storage.serverTime };
      });
      if (key === HEAD_KEY && found !== 'not-modified') log.answered(storage.id, found?.etag);
      return found;
    },
    put: async (key, body, { signal: _, ...condition }: PutOptions) => {
      if (key === HEAD_KEY) log.swapping(storage.id, condition.ifMatch);
      const put = () => storage.put(key, body, { ...condition, signal });
      return request(put, put);
    },
    async *list(prefix) {
      yield* await request(async () => {
        const found = [];
        for await (const info of storage.objects.list(prefix, { signal })) found.push(info);
        return found;
      });
    },
    delete: (key) => request(() => storage.delete(key)),
  };
}

const gone = (id: string) =>
  new FallbackError('unavailable', 'KF_PLUGIN_UNAVAILABLE', `storage ${id}: the connection was cut`);
