import { expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import { LineFindings } from '../../../src/export/line-findings.ts';
import { Findings, silentLogger } from '../../../src/observe/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

it.each([
  ['KF_ENCRYPTION_UNAVAILABLE', 'sealing-fails'],
  ['KF_KEY_INVALID', 'sealing-fails'],
  ['KF_VALIDATOR_FAILED', 'validators-fail'],
  ['KF_WORKER_DEADLINE', 'validators-fail'],
  ['KF_DEADLINE_EXCEEDED', 'stores-unwritable'],
  ['KF_S3_DENIED', 'stores-unwritable'],
])('%s is the finding %s', (code, finding) => {
  const findings = new Findings(new FakeClock(), silentLogger);
  new LineFindings(findings, '3.9.3').storesFail(
    new FallbackError('unavailable', code, 'it fails', { hint: 'do' }),
  );
  expect(findings.list()).toMatchObject([
    { code: finding, about: '3.9.3', severity: 'critical', message: `it fails [${code}]`, hint: 'do' },
  ]);
});
