import { test } from 'node:test';
import { pluginContext, storageContract } from 'kongfallback/testing';
import plugin from './index.js';
import { startServer } from './server.js';

storageContract(test, async () => {
  const { url, close } = await startServer({ token: 'secret' });
  const open = (settings) => plugin.create(settings, pluginContext());
  return {
    capabilities: plugin.capabilities,
    open: () => open({ url, token: 'secret' }),
    openDenied: () => open({ url, token: 'wrong' }),
    openDead: () => open({ url: 'http://127.0.0.1:9', token: 'secret' }),
    cleanup: close,
  };
});
