import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { validatorContract } from 'kongfallback/testing';
import { describe, test } from 'vitest';
import kongSchema from '../../plugins/validator/kong-schema/index.ts';
import shrinkage from '../../plugins/validator/shrinkage/index.ts';
import { readFrame } from '../../src/kong/frame.ts';
import { pluginContext } from '../../src/testing/plugin-context.ts';

const captures = new URL('../fixtures/captures/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, captures));

const good = [
  ...['control-plane/mixed/frame-1', 'control-plane/bulk15k/frame-1', 'older-versions/3.8.1/frame-rich'].map(
    (name) => ({
      name,
      bytes: readFrame(read(`${name}.json.gz`)).document,
    }),
  ),
  { name: 'declarative-10k', bytes: new Uint8Array(gunzipSync(read('declarative-10k.json.gz'))) },
];

describe('kong-schema', () => {
  validatorContract(test, () => ({ open: () => kongSchema.create({}, pluginContext()), good }));
});

describe('shrinkage', () => {
  const settings = { maxShrinkPercent: 50, minimumEntities: 20 };
  validatorContract(test, () => ({ open: () => shrinkage.create(settings, pluginContext()), good }));
});
