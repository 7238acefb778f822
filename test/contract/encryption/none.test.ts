import { encryptionContract, pluginContext } from 'kongfallback/testing';
import { test } from 'vitest';
import none from '../../../plugins/encryption/none/index.ts';

encryptionContract(test, () => ({
  capabilities: { authenticates: false, deterministic: true },
  open: () => none.create({}, pluginContext()),
}));
