import { encryptionContract, pluginContext } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import awsKms from '../../../plugins/encryption/aws-kms/index.ts';
import { KmsDouble } from './kms-double.ts';

let kms: KmsDouble;
beforeAll(async () => {
  kms = await KmsDouble.start();
});
afterAll(() => kms.stop());

async function open(keyId: string, formerKeyIds: string[] = []) {
  const given = {
    keyId,
    formerKeyIds,
    region: 'eu-west-1',
    endpoint: kms.endpoint,
    accessKeyId: 'test',
    secretAccessKey: 'test',
  };
  const checked = await awsKms.settings['~standard'].validate(given);
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  return awsKms.create(checked.value, pluginContext());
}

describe('by ARN', () => {
  encryptionContract(test, () => {
    const [first, second, foreign] = [kms.createKey(), kms.createKey(), kms.createKey()];
    return {
      open: () => open(first.arn),
      openForeign: () => open(foreign.arn),
      openRotated: () => open(second.arn, [first.arn]),
    };
  });
});

describe('by alias', () => {
  encryptionContract(test, () => {
    const [first, second] = [kms.createKey(), kms.createKey()];
    kms.alias('alias/first', first);
    kms.alias('alias/second', second);
    return {
      open: () => open('alias/first'),
      openForeign: () => open('alias/second'),
      openRotated: () => open('alias/second', ['alias/first']),
    };
  });
});

describe('by id', () => {
  encryptionContract(test, () => {
    const [first, second] = [kms.createKey(), kms.createKey()];
    return { open: () => open(first.id), openRotated: () => open(second.id, [first.id]) };
  });
});
