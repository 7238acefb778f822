import { expect, test } from 'vitest';
import { Findings, silentLogger } from '../../../../src/observe/index.ts';
import { Alarms, type Reach } from '../../../../src/relay/watch/alarms.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

const alarm = (code: string) => ({ code, message: 'cp:8005 will not have us', hint: 'mend it' });
const alarms = () => new Alarms(new Findings(new FakeClock(), silentLogger));

test.each<[string, Reach, Reach, boolean]>([
  ['KF_CP_BAD_REQUEST', 'upgrade', 'tls', false],
  ['KF_CP_BAD_REQUEST', 'upgrade', 'upgrade', true],
  ['KF_CP_BAD_REQUEST', 'upgrade', 'session', true],
  ['KF_CP_SILENT', 'session', 'upgrade', false],
  ['KF_CP_SILENT', 'session', 'session', true],
  // Seen as soon as TLS stands, so that a look at TLS can tell that it is over.
  ['KF_CP_FOREIGN_CERTIFICATE', 'upgrade', 'tls', true],
  ['KF_CP_EXPIRED_CERTIFICATE', 'session', 'tls', true],
  ['KF_CP_CERTIFICATE_REFUSED', 'tls', 'tls', true],
])('%s at %s: %s clears it: %s', (code, raisedAt, passedAt, cleared) => {
  const one = alarms();
  one.raise('cp:8005', alarm(code), raisedAt);
  one.passed('cp:8005', passedAt);
  expect(one.list()).toHaveLength(cleared ? 0 : 1);
});

test('of each control plane its own, with what to do', () => {
  const one = alarms();
  one.raise('one:8005', alarm('KF_CP_BAD_REQUEST'), 'upgrade');
  one.raise('two:8005', alarm('KF_CP_BAD_REQUEST'), 'upgrade');
  one.passed('two:8005', 'upgrade');
  one.passed('three:8005', 'session');
  expect(one.list()).toMatchObject([{ code: 'relay-probe-refused', about: 'one:8005', hint: 'mend it' }]);
  expect(one.needs('upgrade')).toBe(true);
  one.passed('one:8005', 'upgrade');
  expect(one.needs('upgrade')).toBe(false);
});

test('findings of others are not alarms', () => {
  const findings = new Findings(new FakeClock(), silentLogger);
  findings.raise({ code: 'standing-copy-stale', about: 'x', severity: 'warning', message: 'm' });
  expect(new Alarms(findings).list()).toEqual([]);
});
