// Key services and an offline key in one list, over the whole restore: any one opens, all of them seal.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import aesGcm from '../../../plugins/encryption/aes-gcm/index.ts';
import awsKms from '../../../plugins/encryption/aws-kms/index.ts';
import vaultTransit from '../../../plugins/encryption/vault-transit/index.ts';
import type { Plugin } from '../../../src/plugin/index.ts';
import { Outside, systemClock } from '../../../src/resilience/index.ts';
import type { RestoreError } from '../../../src/restore/failure.ts';
import { type EncryptionInstance, Sealing } from '../../../src/snapshot/sealing.ts';
import { pluginContext } from '../../../src/testing/plugin-context.ts';
import { World } from '../../unit/restore/restore-world.ts';
import { errorOf } from '../../unit/snapshot/sample-head.ts';
import { KmsDouble } from './kms-double.ts';
import { VaultDouble } from './vault-double.ts';

const OFFLINE = Buffer.alloc(32, 1).toString('base64');
const STRANGER = Buffer.alloc(32, 9).toString('base64');

let kms: KmsDouble;
let vault: VaultDouble;
let world: World;
let arn: string;
let token: string;

beforeEach(async () => {
  [kms, vault, world] = [await KmsDouble.start(), await VaultDouble.start(), await World.create()];
  ({ arn } = kms.createKey());
  vault.createKey('transit', 'kong');
  token = vault.createToken();
});
afterEach(() => Promise.all([kms.stop(), vault.stop(), world.close()]));

async function instance(plugin: Plugin, settings: object): Promise<EncryptionInstance> {
  const checked = await plugin.settings['~standard'].validate(settings);
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  const context = pluginContext({ id: plugin.name, clock: systemClock });
  const made = (await plugin.create(checked.value as never, context)) as EncryptionInstance['plugin'];
  return { id: plugin.name, use: plugin.name, plugin: made };
}

const kmsKey = () =>
  instance(awsKms as never, {
    keyId: arn,
    endpoint: kms.endpoint,
    accessKeyId: 'test',
    secretAccessKey: 'test',
    requestTimeoutSeconds: 0.2,
  });
const vaultKey = () =>
  instance(vaultTransit as never, { address: vault.address, key: 'kong', auth: { token } });
const offlineKey = (key = OFFLINE) => instance(aesGcm as never, { keys: [key] });

const sealingOf = (...instances: EncryptionInstance[]) =>
  new Sealing(instances, { outside: new Outside(systemClock, () => 0.5), deadlineMs: 10_000 });

/** Silent rather than refusing: the worse way to die. */
const die = () => {
  kms.fault = () => true;
  vault.isSealed = true;
};

describe('aws-kms, vault-transit and aes-gcm at once', () => {
  beforeEach(async () => {
    world.sealing = sealingOf(await kmsKey(), await vaultKey(), await offlineKey());
    world.publish([await world.seal('the configuration'), await world.seal('the one before')]);
  });

  it('each of them alone opens', async () => {
    for (const one of [await kmsKey(), await vaultKey(), await offlineKey()]) {
      world.sealing = sealingOf(one);
      expect((await world.restored()).document.toString()).toBe('the configuration');
    }
  });

  it('with both services dead the offline key opens, from storage and from the cache', async () => {
    die();
    expect((await world.restored()).document.toString()).toBe('the configuration');
    for (const store of world.stores) store.objects.clear();
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('the configuration');
    expect(snapshot.origin).toBe('cache');
  });

  it('with both services dead and no offline key it may work later, and says what is away', async () => {
    world.sealing = sealingOf(await kmsKey(), await vaultKey());
    die();
    const error = (await errorOf(() => world.restored())) as unknown as RestoreError;
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(error.message).toContain('no answer in time');
  });

  it('with a key of somebody else it is denied, names what it needs, and takes no older one for it', async () => {
    world.sealing = sealingOf(await offlineKey(STRANGER));
    const error = (await errorOf(() => world.restored())) as unknown as RestoreError;
    expect(error.kind).toBe('denied');
    expect(error.failures.map(({ error: { code } }) => code)).toEqual(['KF_KEY_UNKNOWN']);
    for (const named of [arn, 'transit/kong:v1', 'aes-gcm key']) expect(error.message).toContain(named);
  });

  it('while one service is dead nothing is sealed, and what is there stays', async () => {
    kms.fault = () => true;
    expect(await errorOf(() => world.seal('the next'))).toMatchObject({ kind: 'unavailable' });
    kms.fault = undefined;
    vault.isSealed = true;
    expect(await errorOf(() => world.seal('the next'))).toMatchObject({ kind: 'unavailable' });
    expect((await world.restored()).document.toString()).toBe('the configuration');
  });
});
