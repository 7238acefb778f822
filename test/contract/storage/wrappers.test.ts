// The kit once more over what wraps a store: what holds for the plugin must hold for the wrapper.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore } from 'kongfallback/plugin';
import { faulty, pluginContext, type StorageHarness, storageContract } from 'kongfallback/testing';
import { describe, test } from 'vitest';
import file from '../../../plugins/storage/file/index.ts';
import memory from '../../../plugins/storage/memory/index.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import { guardedAsPlugin } from './guarded-as-plugin.ts';

type Wrap = (store: ObjectStore, harness: StorageHarness) => ObjectStore;

async function inMemory(wrap: Wrap): Promise<StorageHarness> {
  const store = await memory.create({}, pluginContext());
  const harness = { capabilities: memory.capabilities ?? {}, open: () => store };
  const wrapped = wrap(store, harness);
  return { ...harness, open: () => wrapped };
}

async function inFiles(wrap: Wrap): Promise<StorageHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'kongfallback-wrapped-'));
  const context = pluginContext({ clock: systemClock });
  const path = join(directory, 'store');
  await mkdir(path);
  const harness: StorageHarness = {
    capabilities: file.capabilities ?? {},
    open: async () => wrap(await file.create({ path, readableBy: 'owner' }, context), harness),
    openDead: async () =>
      wrap(await file.create({ path: join(directory, 'a', 'b'), readableBy: 'owner' }, context), harness),
    cleanup: () => rm(directory, { recursive: true }),
  };
  return harness;
}

describe('faulty(memory, [])', () => storageContract(test, () => inMemory((store) => faulty(store, []))));
describe('faulty(file, [])', () => storageContract(test, () => inFiles((store) => faulty(store, []))));
describe('guarded(memory)', () => storageContract(test, () => inMemory(guardedAsPlugin)));
describe('guarded(file)', () => storageContract(test, () => inFiles(guardedAsPlugin)));
