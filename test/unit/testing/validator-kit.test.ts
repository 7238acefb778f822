import { strict as assert } from 'node:assert';
import type { Finding, Validator } from 'kongfallback/plugin';
import { validatorContract } from 'kongfallback/testing';
import { test } from 'vitest';

const GOOD = [{ name: 'good', bytes: Buffer.from('{"_format_version":"3.0","services":[{"id":"a"}]}') }];

async function failing(validate: Validator['validate']): Promise<string[]> {
  const cases: [string, () => Promise<void>][] = [];
  validatorContract(
    (name, run) => cases.push([name, run]),
    () => ({ good: GOOD, open: () => ({ validate }) }),
  );
  const failed: string[] = [];
  for (const [name, run] of cases) await run().catch(() => failed.push(name));
  return failed;
}

const finding = (part: Partial<Finding>): Finding => ({
  code: 'test/case',
  severity: 'warning',
  message: 'A sentence.',
  ...part,
});
let calls = 0;

const lies: readonly (readonly [string, RegExp, Validator['validate']])[] = [
  ['refuses good documents', /good documents/, async () => [finding({ severity: 'error' })]],
  [
    'throws at null collections',
    /odd documents/,
    async ({ table }) =>
      Object.values(table).flatMap((value) => ((value as unknown[]).length > 1e6 ? [finding({})] : [])),
  ],
  ['has codes of its own kind', /odd documents/, async () => [finding({ code: 'BAD' })]],
  ['says nothing in its message', /odd documents/, async () => [finding({ message: '' })]],
  ['answers no list', /good documents/, async () => undefined as never],
  [
    'changes the document',
    /not changed/,
    async ({ bytes }) => {
      bytes[0] = 0x20;
      return [];
    },
  ],
  ['judges the same differently', /judged the same/, async () => [finding({ message: String(calls++) })]],
  [
    'ends an abort in another error',
    /signal that fired/,
    async (_document, _context, { signal }) => {
      if (signal.aborted) throw new Error('odd');
      return [];
    },
  ],
];
for (const [name, expected, validate] of lies) {
  test(`the kit notices a validator that ${name}`, async () => {
    const failed = await failing(validate);
    assert.ok(
      failed.some((one) => expected.test(one)),
      `failed: ${failed.join('; ')}`,
    );
  });
}

test('and finds nothing wrong with an honest one', async () => {
  assert.deepEqual(await failing(async () => [finding({})]), []);
});
