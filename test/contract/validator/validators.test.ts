import { strict as assert } from 'node:assert';
import { pluginContext, validatorContract } from 'kongfallback/testing';
import { describe, test } from 'vitest';
import kongSchema from '../../../plugins/validator/kong-schema/index.ts';
import shrinkage from '../../../plugins/validator/shrinkage/index.ts';
import { recordedDocuments } from './recorded-documents.ts';

const good = recordedDocuments();

test('there are recorded documents to judge', () => assert.ok(good.length >= 7, `${good.length} documents`));

describe('kong-schema', () => {
  validatorContract(test, () => ({ good, open: () => kongSchema.create({}, pluginContext()) }));
});

describe('shrinkage', () => {
  // An empty database is what this one is there to refuse.
  const filled = good.filter(({ name }) => !name.startsWith('empty/'));
  const settings = { maxShrinkPercent: 50, minimumEntities: 20 };
  validatorContract(test, () => ({ good: filled, open: () => shrinkage.create(settings, pluginContext()) }));
});
