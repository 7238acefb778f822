import { expect, it } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';
import type { ObjectStore } from '../../../src/plugin/index.ts';
import { pluginContext } from '../../../src/testing/index.ts';
import { errorOf } from '../snapshot/sample-head.ts';
import { ExportBench } from './bench.ts';

const signal = new AbortController().signal;

it('a store that answers too slowly to tell the time is named, and not the control plane', async () => {
  const bench = new ExportBench();
  const inner = (await memory.create({}, pluginContext({ id: 'slow', clock: bench.clock }))) as ObjectStore;
  const late = async <T>(answer: Promise<T>): Promise<T> => {
    const given = await answer;
    bench.clock.jump(2500);
    return given;
  };
  const store = await bench.store('slow', {
    ...inner,
    get: (key, options) => late(inner.get(key, options)),
    put: (key, body, options) => late(inner.put(key, body, options)),
    list: (prefix, options) => inner.list(prefix, options),
    delete: (key, options) => inner.delete(key, options),
  });
  bench.sent.push({ letter: 'a' });
  const exporter = await bench.exporter([store]);
  const error = await errorOf(() => exporter.once({ signal }));
  expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_CP_CLOCK_UNUSABLE' });
  expect(error.message).toMatch(/^storage slow took more than 2 s/);
  expect(error.hint).toContain('storage');
});
