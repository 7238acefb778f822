import { describe, expect, it } from 'vitest';
import { prepare } from '../../../src/export/prepare.ts';
import type { Validator } from '../../../src/plugin/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

const job = () => ({
  form: 'document' as const,
  bytes: new TextEncoder().encode('{"services":[]}'),
  fromControlPlane: true,
  cluster: 'production',
  gatewayVersion: '3.9.3',
  now: 7,
  maxDocumentBytes: 1000,
  compress: false,
});

/** What is recorded when validators return these. */
async function recorded(...returned: unknown[]): Promise<string | null> {
  const validators = returned.map((value, at) => ({
    id: `v${at}`,
    validator: { validate: async () => [], loadableUntil: async () => value } as Validator,
  }));
  return (await prepare(job(), validators, new FakeClock())).loadableUntil;
}

const AT = Date.UTC(2027, 0, 1);

describe('how long a document can be loaded', () => {
  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['2027-01-01'], [null], [new Date(AT)]])(
    '%s is no answer: the validator failed, and nothing is published',
    async (value) => {
      await expect(recorded(value)).rejects.toMatchObject({
        kind: 'unavailable',
        code: 'KF_VALIDATOR_FAILED',
        message: expect.stringContaining('loadableUntil'),
      });
    },
  );

  it('is for ever as far as anybody knows', async () => {
    expect(await recorded()).toBeNull();
    expect(await recorded(undefined, undefined)).toBeNull();
  });

  it('is the earliest of all', async () => {
    expect(await recorded(AT + 1, undefined, AT, AT + 2)).toBe('2027-01-01T00:00:00.000Z');
  });

  it('has a year of four digits, as a head requires', async () => {
    expect(await recorded(8.64e15)).toBeNull();
    expect(await recorded(-1)).toBe('1970-01-01T00:00:00.000Z');
  });

  it('is not asked of a validator that does not tell', async () => {
    const validator: Validator = { validate: async () => [] };
    expect((await prepare(job(), [{ id: 'v', validator }], new FakeClock())).loadableUntil).toBeNull();
  });
});
