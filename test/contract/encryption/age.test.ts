import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { encryptionContract, pluginContext } from 'kongfallback/testing';
import { describe, test } from 'vitest';
import age from '../../../plugins/encryption/age/index.ts';

const [first, second, foreign] = await Promise.all([1, 2, 3].map(() => generateX25519Identity()));
const open = async (...identities: (string | undefined)[]) => {
  const known = identities.map((identity) => identity ?? '');
  const recipients = [await identityToRecipient(known[0] ?? '')];
  return age.create({ recipients, identities: known }, pluginContext());
};

encryptionContract(test, () => ({
  open: () => open(first),
  openForeign: () => open(foreign),
  openRotated: () => open(second, first),
}));

describe('with a post-quantum recipient', async () => {
  const hybrid = await generateHybridIdentity();
  encryptionContract(test, () => ({ open: () => open(hybrid), openForeign: () => open(first) }));
});
