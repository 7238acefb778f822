import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pluginContext, storageContract } from 'kongfallback/testing';
import { test } from 'vitest';
import file from '../../../plugins/storage/file/index.ts';
import { systemClock } from '../../../src/resilience/index.ts';

storageContract(test, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kongfallback-file-'));
  const open = (path: string) =>
    file.create({ path, readableBy: 'owner' }, pluginContext({ clock: systemClock }));
  return {
    capabilities: file.capabilities ?? {},
    open: () => open(join(directory, 'store')),
    openDead: () => open(join(directory, 'not', 'mounted')),
    cleanup: () => rm(directory, { recursive: true }),
  };
});
