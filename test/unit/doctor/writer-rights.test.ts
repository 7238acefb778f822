import { describe, expect, it } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';
import { writerRights } from '../../../src/doctor/checks/writer-rights.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import type { ObjectStore } from '../../../src/plugin/index.ts';
import { Outside } from '../../../src/resilience/index.ts';
import { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { FakeClock, pluginContext } from '../../../src/testing/index.ts';

const signal = new AbortController().signal;

async function check(replaced: (store: ObjectStore) => Partial<ObjectStore>) {
  const clock = new FakeClock({ runs: true });
  const store = (await memory.create({} as never, pluginContext({ clock }))) as ObjectStore;
  const bound: ObjectStore = {
    get: (key, options) => store.get(key, options),
    put: (key, body, options) => store.put(key, body, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key, options) => store.delete(key, options),
  };
  const guarded = new GuardedStore({
    id: 'under-test',
    prefix: 'p',
    store: { ...bound, ...replaced(bound) },
    capabilities: { conditionalPut: true },
    outside: new Outside(clock, () => 0.5),
    clock,
  });
  const seen = await writerRights(guarded, { random: () => 0.5, signal });
  const left: string[] = [];
  for await (const { key } of store.list('', { signal })) left.push(key);
  return { codes: seen.map(({ code, severity }) => `${severity} ${code}`), left };
}

const denied = async () => {
  throw new FallbackError('denied', 'KF_STORAGE_DENIED', 'no');
};

describe('the rights of an exporter', () => {
  it('all of them, and nothing is left', async () => {
    expect(await check(() => ({}))).toEqual({ codes: ['ok storage-rights'], left: [] });
  });

  it('a store that forgets what was written', async () => {
    const { codes } = await check(() => ({ get: async () => undefined }));
    expect(codes).toEqual(['error storage-get-fails']);
  });

  it('a store that gives something else', async () => {
    const { codes } = await check((store) => ({
      get: async (key, options) => {
        const found = await store.get(key, options);
        return typeof found === 'object' ? { ...found, body: [Buffer.from('something else')] } : found;
      },
    }));
    expect(codes).toEqual(['error storage-get-fails']);
  });

  it('a listing without what was written', async () => {
    const { codes } = await check(() => ({ list: async function* () {} }));
    expect(codes).toEqual(['error storage-list-fails']);
  });

  it('each right that is missing is told, and the others all the same', async () => {
    const { codes, left } = await check(() => ({ get: denied, delete: denied }));
    expect(codes).toEqual(['error storage-get-fails', 'warning storage-delete-fails']);
    expect(left).toHaveLength(1);
  });

  it('one that cannot write asks for nothing else', async () => {
    const { codes } = await check(() => ({
      put: denied,
      get: () => expect.fail(),
      delete: () => expect.fail(),
    }));
    expect(codes).toEqual(['error storage-put-fails']);
  });
});
