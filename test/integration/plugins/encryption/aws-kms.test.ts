// The contract against an emulator of KMS that was written by somebody else.
import { encryptionContract, pluginContext } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import awsKms from '../../../../plugins/encryption/aws-kms/index.ts';
import type { KeyWrap } from '../../../../src/plugin/index.ts';
import { findServer, MINISTACK, RealServer } from '../../../s3/real-servers.ts';

const binary = findServer(MINISTACK);

describe.skipIf(binary === undefined)('aws-kms at ministack', () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await RealServer.start(MINISTACK, binary ?? '');
  }, 60_000);
  afterAll(() => server.stop());

  async function admin<T>(
    work: (
      kms: typeof import('@aws-sdk/client-kms'),
      client: import('@aws-sdk/client-kms').KMSClient,
    ) => Promise<T>,
  ) {
    const sdk = await import('@aws-sdk/client-kms');
    const client = new sdk.KMSClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { ...server.keys },
    });
    return work(sdk, client).finally(() => client.destroy());
  }

  const createKey = () =>
    admin(async (sdk, client) => (await client.send(new sdk.CreateKeyCommand({}))).KeyMetadata?.Arn ?? '');

  async function open(keyId: string, formerKeyIds: readonly string[] = []): Promise<KeyWrap> {
    const given = { keyId, formerKeyIds, region: 'us-east-1', endpoint: server.endpoint, ...server.keys };
    const checked = await awsKms.settings['~standard'].validate(given);
    if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
    return (await awsKms.create(checked.value as never, pluginContext())) as KeyWrap;
  }

  // The emulator does not authenticate what it encrypted, which KMS does (and the core, when the data key is used).
  const kept = (name: string, run: () => Promise<void>) =>
    test.skipIf(name.startsWith('key wrap: every flipped bit'))(name, run);

  encryptionContract(kept, async () => {
    const [first, second, foreign] = [await createKey(), await createKey(), await createKey()];
    return {
      open: () => open(first),
      openForeign: () => open(foreign),
      openRotated: () => open(second, [first]),
    };
  });

  const options = { signal: new AbortController().signal };

  test('a key that is disabled, and one that is not there: denied, invalid', async () => {
    const arn = await createKey();
    const plugin = await open(arn);
    const { keyId, wrapped } = await plugin.wrap(Buffer.alloc(32, 3), Buffer.from('context'), options);
    await admin((sdk, client) => client.send(new sdk.DisableKeyCommand({ KeyId: arn })));
    await expect(plugin.unwrap(keyId, wrapped, Buffer.from('context'), options)).rejects.toMatchObject({
      kind: 'denied',
      hint: expect.stringContaining('enable-key'),
    });
    const nobody = await open(arn.replace(/key\/.*/, 'key/00000000-0000-0000-0000-000000000000'));
    await expect(nobody.wrap(Buffer.alloc(32), Buffer.from('context'), options)).rejects.toMatchObject({
      kind: 'invalid',
    });
  });

  test('an alias: the key id is the ARN', async () => {
    const arn = await createKey();
    await admin((sdk, client) =>
      client.send(new sdk.CreateAliasCommand({ AliasName: 'alias/kong-fallback', TargetKeyId: arn })),
    );
    const plugin = await open('alias/kong-fallback');
    const { keyId, wrapped } = await plugin.wrap(Buffer.alloc(32, 3), Buffer.from('context'), options);
    expect(keyId).toBe(arn);
    const dataKey = await plugin.unwrap(keyId, wrapped, Buffer.from('context'), options);
    expect(Buffer.from(dataKey)).toEqual(Buffer.alloc(32, 3));
  });
});
