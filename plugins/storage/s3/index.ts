import { definePlugin } from 'kongfallback/plugin';
import { loadSdk, makeClient } from './client.ts';
import { S3Store } from './s3-store.ts';
import { settings } from './settings.ts';

/** AWS S3 and every server that speaks its protocol with conditional writes. */
export default definePlugin({
  kind: 'storage',
  name: 's3',
  // Largest object of a single PutObject request.
  capabilities: { conditionalPut: true, maxObjectBytes: 5 * 2 ** 30 },
  settings,
  async create(checked, context) {
    const sdk = await loadSdk();
    return new S3Store(sdk, await makeClient(sdk, checked, context), checked, context);
  },
});
