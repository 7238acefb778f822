import { encryptionContract, pluginContext } from 'kongfallback/testing';
import { test } from 'vitest';
import aesGcm from '../../../plugins/encryption/aes-gcm/index.ts';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const open = (...keys: string[]) => aesGcm.create({ keys }, pluginContext());

encryptionContract(test, () => ({
  open: () => open(key(1)),
  openForeign: () => open(key(9)),
  openRotated: () => open(key(2), key(1)),
}));
