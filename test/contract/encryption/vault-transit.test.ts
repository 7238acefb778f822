import { encryptionContract, pluginContext } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import vaultTransit from '../../../plugins/encryption/vault-transit/index.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import { VaultDouble } from './vault-double.ts';

describe.each([
  ['Vault', true],
  ['a server without associated data', false],
])('at %s', (_, knowsAssociatedData) => {
  let vault: VaultDouble;
  let keys = 0;
  beforeAll(async () => {
    vault = await VaultDouble.start({ knowsAssociatedData });
  });
  afterAll(() => vault.stop());

  async function open(key: string) {
    const given = { address: vault.address, key, auth: { token: vault.createToken() } };
    const checked = await vaultTransit.settings['~standard'].validate(given);
    if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
    return vaultTransit.create(checked.value as never, pluginContext({ clock: systemClock }));
  }

  encryptionContract(test, () => {
    const [own, foreign] = [`key-${++keys}`, `key-${++keys}`];
    for (const key of [own, foreign]) vault.createKey('transit', key);
    return { open: () => open(own), openForeign: () => open(foreign) };
  });
});
