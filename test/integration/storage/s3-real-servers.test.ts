import { strict as assert } from 'node:assert';
import { setMaxListeners } from 'node:events';
import { pluginContext, storageContract } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import s3 from '../../../plugins/storage/s3/index.ts';
import { settings } from '../../../plugins/storage/s3/settings.ts';
import { systemClock } from '../../../src/resilience/clock.ts';
import { Outside } from '../../../src/resilience/index.ts';
import { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { probeConditions } from '../../../src/snapshot/store-probe.ts';
import { findServer, GOFAKES3, MINISTACK, MOTO, RealServer, S3RVER } from '../../s3/real-servers.ts';

const WRITERS = 50;
const ROUNDS = 10;
const { signal } = new AbortController();
setMaxListeners(0, signal);
const text = (value: string) => new TextEncoder().encode(value);

for (const kind of [MINISTACK, MOTO, GOFAKES3, S3RVER]) {
  const binary = findServer(kind);
  const keepsConditions = kind !== S3RVER;

  describe.skipIf(binary === undefined)(`s3 on ${kind.name}`, () => {
    let server: RealServer;
    beforeAll(async () => {
      server = await RealServer.start(kind, binary ?? '');
    });
    afterAll(() => server?.stop());

    const open = (bucket: string) =>
      s3.create(
        settings.parse({ bucket, endpoint: server.endpoint, ...server.keys, ...kind.settings }),
        pluginContext(),
      );

    test(`the probe finds that it ${keepsConditions ? 'keeps' : 'ignores'} conditions`, async () => {
      const plugin = await open(await server.createBucket());
      const store = new GuardedStore({
        id: kind.name,
        store: plugin,
        prefix: '',
        capabilities: { conditionalPut: true },
        outside: new Outside(systemClock, () => 0),
        clock: systemClock,
      });
      const { conditionalPut, reason } = await probeConditions(store, { random: () => 0.5, signal });
      assert.equal(conditionalPut, keepsConditions, reason);
      await plugin.close?.();
    });

    test.runIf(kind === MINISTACK || kind === MOTO)('arguments of PutObject arrive', async () => {
      const bucket = await server.createBucket();
      const store = await s3.create(
        settings.parse({
          bucket,
          endpoint: server.endpoint,
          ...server.keys,
          serverSideEncryption: 'aws:kms',
          kmsKeyId: 'alias/aws/s3',
          putObject: { StorageClass: 'STANDARD_IA', Tagging: 'team=platform', CacheControl: 'no-store' },
        }),
        pluginContext(),
      );
      await store.put('a', text('x'), { ifAbsent: true, signal });
      const { ServerSideEncryption, StorageClass, CacheControl, tags } = await server.attributes(bucket, 'a');
      assert.deepEqual(
        { ServerSideEncryption, StorageClass, CacheControl, tags },
        {
          ServerSideEncryption: 'aws:kms',
          StorageClass: 'STANDARD_IA',
          CacheControl: 'no-store',
          tags: [{ Key: 'team', Value: 'platform' }],
        },
      );
      await store.close?.();
    });

    if (keepsConditions) {
      storageContract(test, async () => {
        const bucket = await server.createBucket();
        return { capabilities: s3.capabilities ?? {}, moreThanOnePage: 1_010, open: () => open(bucket) };
      });

      test(`of ${WRITERS} writers at once exactly one wins, in ${ROUNDS} rounds`, async () => {
        const store = await open(await server.createBucket());
        for (let round = 0; round < ROUNDS; round++) {
          const before = await store.put(`race/${round}`, text('start'), { signal });
          const results = await Promise.allSettled(
            Array.from({ length: WRITERS }, (_, writer) =>
              store.put(`race/${round}`, text(`${round} ${writer}`), { ifMatch: before.etag, signal }),
            ),
          );
          assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
        }
        await store.close?.();
      });
    }
  });
}
