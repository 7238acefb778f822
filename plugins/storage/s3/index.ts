import { definePlugin } from 'kongfallback/plugin';
import { connect, endpointOf, loadSdk } from './client.ts';
import { Pace } from './pace.ts';
import { S3Store } from './s3-store.ts';
import { ServerTimes } from './server-times.ts';
import { type S3Settings, settings } from './settings.ts';

/** AWS S3 and every server that speaks its protocol with conditional writes. */
export default definePlugin({
  kind: 'storage',
  name: 's3',
  // Largest object of a single PutObject request.
  capabilities: { conditionalPut: true, maxObjectBytes: 5 * 2 ** 30 },
  settings,
  async create(checked, context) {
    const sdk = await loadSdk();
    const times = new ServerTimes();
    const connection = await connect(sdk, checked, times, context);
    const pace = new Pace(writeIntervalMs(checked), context.clock);
    return new S3Store({ sdk, connection, times, pace, settings: checked, context });
  },
});

function writeIntervalMs(checked: S3Settings): number {
  const endpoint = endpointOf(checked);
  const isR2 = endpoint !== undefined && /\.r2\.cloudflarestorage\.com(?=[:/]|$)/.test(endpoint);
  return (checked.writeIntervalSeconds ?? (isR2 ? 1 : 0)) * 1000;
}
