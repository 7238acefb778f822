import { describe, expect, it } from 'vitest';
import { type Check, runChecks } from '../../../src/doctor/run-checks.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

const signal = new AbortController().signal;
const well: Check = {
  area: 'machine',
  name: 'well',
  look: () => [{ severity: 'ok', code: 'fine', message: 'fine' }],
};
const failing = (thrown: unknown): Check => ({
  area: 'storage',
  name: 'failing',
  look: () => {
    throw thrown;
  },
});

describe('checks, side by side', () => {
  it('one that hangs ends at its deadline, and the others have been', async () => {
    const clock = new FakeClock();
    const hanging: Check = {
      area: 'names',
      name: 'a look that hangs',
      deadlineMs: 5000,
      look: () => new Promise(() => {}),
    };
    const running = runChecks([hanging, well], { clock, signal });
    await clock.advance(5000);
    expect(await running).toEqual([
      expect.objectContaining({
        area: 'names',
        severity: 'error',
        code: 'KF_DEADLINE_EXCEEDED',
        message: expect.stringContaining('a look that hangs'),
        hint: expect.any(String),
      }),
      expect.objectContaining({ area: 'machine', code: 'fine' }),
    ]);
  });

  it('what is thrown is a result, with a hint in any case', async () => {
    const seen = await runChecks(
      [failing(new FallbackError('denied', 'KF_X', 'no')), failing('what?'), well],
      {
        clock: new FakeClock(),
        signal,
      },
    );
    expect(seen).toMatchObject([
      { code: 'KF_X', severity: 'error', hint: expect.stringContaining('KF_X') },
      { code: 'KF_PLUGIN_UNCLASSIFIED', message: 'failing: what?' },
      { code: 'fine' },
    ]);
  });

  it('the same fault at several checks is told once', async () => {
    const fault = failing(new FallbackError('invalid', 'KF_KEY_INVALID', 'bad key'));
    expect(await runChecks([fault, fault], { clock: new FakeClock(), signal })).toHaveLength(1);
  });

  it('an interrupt ends it', async () => {
    const stop = new AbortController();
    const hanging: Check = { ...well, look: () => new Promise(() => {}) };
    const running = runChecks([hanging], { clock: new FakeClock(), signal: stop.signal });
    stop.abort();
    await expect(running).rejects.toMatchObject({ kind: 'aborted' });
  });
});
