import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { asText, settingsFileSchema } from '../../scripts/write-schema.ts';

const committed = readFileSync('settings.schema.json', 'utf8');
const validate = new Ajv2020({ strict: true, formats: { uri: true } }).compile(JSON.parse(committed));
const example = (): Record<string, never> =>
  parse(readFileSync('test/fixtures/settings/design-example.yaml', 'utf8'));

test('settings.schema.json is what `npm run schema` writes', async () => {
  expect(asText(await settingsFileSchema()) === committed, 'run `npm run schema` and commit the file').toBe(
    true,
  );
});

test('no secret lacks the mark that editors know', () => {
  expect(committed).not.toContain('"secret"');
  expect(committed.match(/"writeOnly": true/g)?.length).toBeGreaterThanOrEqual(5);
});

test.each(['.kongfallbackrc.example', 'test/fixtures/settings/design-example.yaml'])(
  '%s is accepted',
  (file) => {
    expect(validate(parse(readFileSync(file, 'utf8'))) ? [] : validate.errors).toEqual([]);
  },
);

describe('refused', () => {
  test.each<[string, (settings: Record<string, unknown>) => void]>([
    ['a typo at the top', (s) => Object.assign(s, { expart: {} })],
    ['a typo in a section', (s) => Object.assign(s['export'] as object, { delaySecond: 1 })],
    [
      'a typo in an entry of a built-in',
      (s) => Object.assign((s['storages'] as object[])[0] ?? {}, { buckt: 'x' }),
    ],
    ['a built-in without what it needs', (s) => Object.assign(s, { storages: [{ use: 's3' }] })],
    ['no encryption', (s) => delete s['encryption']],
    ['a version that is not exact', (s) => Object.assign(s, { gatewayVersions: ['3.9'] })],
    ['a number as text', (s) => Object.assign(s, { export: { delaySeconds: '5' } })],
    ['no storage', (s) => Object.assign(s, { storages: [] })],
  ])('%s', (_, change) => {
    const settings = example();
    change(settings);
    expect(validate(settings)).toBe(false);
  });
});

describe('accepted', () => {
  test.each<[string, object]>([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: references are what is tested
    ['a reference in place of a number', { export: { delaySeconds: '${env:DELAY}' } }],
    ['any settings of a foreign plugin', { storages: [{ use: 'kongfallback-storage-web', url: 'x' }] }],
    ['a list of encryptions', { encryption: [{ use: 'none' }, 'age'] }],
  ])('%s', (_, change) => {
    expect(validate({ ...example(), ...change }) ? [] : validate.errors).toEqual([]);
  });
});
