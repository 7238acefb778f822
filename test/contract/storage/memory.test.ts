import { pluginContext, storageContract } from 'kongfallback/testing';
import { test } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';

storageContract(test, async () => {
  const store = await memory.create({}, pluginContext());
  return { capabilities: memory.capabilities ?? {}, open: () => store };
});
