import { describe, expect, it } from 'vitest';
import { healthOf } from '../../../src/observe/metrics-state.ts';
import { lineFindings } from '../../../src/status/line-findings.ts';
import { headState, NOW, sampleHeadFacts } from '../service/sample-state.ts';

const MINUTE = 60_000;
const RULES = { confirmIntervalMs: 10 * MINUTE, now: NOW };
const ERROR = { code: 'KF_STORAGE_UNAVAILABLE', message: 'storage dr: nobody answers', hint: 'look there' };
const CURRENT = sampleHeadFacts().current;

const judged = (...heads: Parameters<typeof lineFindings>[1][number][]) =>
  lineFindings('3.9.3', heads, RULES);
const codes = (...heads: Parameters<typeof lineFindings>[1][number][]) =>
  judged(...heads).map(({ code }) => code);
const head = (changes: Parameters<typeof sampleHeadFacts>[0], store = 's3') =>
  headState(store, { head: sampleHeadFacts(changes) });
const missing = headState('dr', { state: 'missing', head: null });
const refused = headState('dr', { state: 'refused', head: null, error: ERROR });
const unreadable = headState('dr', { state: 'unreadable', head: null, error: ERROR });

describe('nothing to restore is critical', () => {
  it.each([
    ['missing', missing],
    ['refused', refused],
    ['unreadable', unreadable],
  ])('the only head is %s', (state, only) => {
    const findings = judged(only);
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['nothing-to-restore', 'critical'],
      [`head-${state}`, 'warning'],
    ]);
    expect(healthOf(findings)).toBe('failed');
  });

  it('a head that was verified once and cannot be read now is none either', () => {
    expect(codes(headState('s3', { state: 'unreadable', error: ERROR }))).toContain('nothing-to-restore');
  });

  it('the error of the store is told, with its hint and code', () => {
    const finding = judged(head({}), unreadable)[0];
    expect(finding).toMatchObject({ about: '3.9.3 dr', hint: 'look there', severity: 'warning' });
    expect(finding?.message).toContain('nobody answers [KF_STORAGE_UNAVAILABLE]');
  });

  it('one good store out of two degrades only', () => {
    expect(healthOf(judged(head({}), missing))).toBe('degraded');
  });
});

it('a configuration that no data plane loads any more is critical, one that soon ends is not', () => {
  const at = (loadableUntil: string) => judged(head({ current: { ...CURRENT, loadableUntil } }));
  expect(at(new Date(NOW).toISOString())).toMatchObject([{ code: 'not-loadable', severity: 'critical' }]);
  expect(at(new Date(NOW + 13 * 86_400_000).toISOString())).toMatchObject([
    { code: 'loadable-ends', severity: 'warning' },
  ]);
  expect(at(new Date(NOW + 15 * 86_400_000).toISOString())).toEqual([]);
});

describe('freshness, at three intervals', () => {
  const down = { state: 'down', since: '2026-11-21T10:00:00.000Z' } as const;
  it.each([
    ['just in time', { aliveAgeMs: 30 * MINUTE, confirmedAgeMs: 30 * MINUTE }, []],
    ['no exporter', { aliveAgeMs: 30 * MINUTE + 1, confirmedAgeMs: 31 * MINUTE }, ['exporter-silent']],
    [
      'no exporter, and the control plane was down when it left',
      { aliveAgeMs: 31 * MINUTE, controlPlane: down },
      ['exporter-silent'],
    ],
    ['alive, nothing confirmed', { confirmedAgeMs: 30 * MINUTE + 1 }, ['not-confirmed']],
    [
      'alive, and a rollback is held, which confirms nothing',
      {
        confirmedAgeMs: 90 * MINUTE,
        hold: { by: 'me', reason: 'r', since: '2026-01-01T00:00:00.000Z', until: null },
      },
      ['hold-in-force'],
    ],
    [
      'alive, nothing confirmed since a rollback ended',
      {
        confirmedAgeMs: 90 * MINUTE,
        hold: { by: 'me', reason: 'r', since: '2020-01-01T00:00:00.000Z', until: '2020-01-02T00:00:00.000Z' },
      },
      ['not-confirmed'],
    ],
    [
      'alive, and the control plane is down or silent',
      { confirmedAgeMs: 90 * MINUTE, controlPlane: down },
      ['control-plane-down'],
    ],
    ['alive, and the control plane went down a moment ago', { controlPlane: down }, ['control-plane-down']],
  ])('%s', (_what, changes, expected) => {
    expect(codes(head(changes))).toEqual(expected);
  });

  it('the freshest head decides, not the first store', () => {
    const old = head({ sequence: 5, aliveAgeMs: 20 * MINUTE, confirmedAgeMs: 40 * MINUTE });
    expect(codes(old, head({ sequence: 6 }, 'dr'))).toEqual([]);
  });
});

describe('a rollback', () => {
  const hold = { by: 'ops', reason: 'bad release', since: '2026-11-21T11:00:00.000Z', until: null };
  it('in force is told, with who and why', () => {
    expect(judged(head({ hold }))[0]).toMatchObject({ code: 'hold-in-force', severity: 'warning' });
    expect(judged(head({ hold }))[0]?.message).toMatch(/ops.*bad release/);
  });

  it('over is not', () => {
    expect(codes(head({ hold: { ...hold, until: new Date(NOW).toISOString() } }))).toEqual([]);
  });
});

it('a head that nobody verified is told', () => {
  expect(codes(head({ authenticated: false }))).toEqual(['head-unsigned']);
});

describe('stores beside each other', () => {
  const other = { current: { ...CURRENT, documentSha256: 'e'.repeat(64) }, sequence: 5 };
  it('with other content disagree, once publishing must be over', () => {
    expect(codes(head({ aliveAgeMs: MINUTE + 1 }), head(other, 'dr'))).toEqual(['stores-disagree']);
    expect(codes(head({ aliveAgeMs: MINUTE }), head(other, 'dr'))).toEqual([]);
  });

  it('with the same content, one not written for long, is behind', () => {
    const findings = judged(head({ aliveAgeMs: 0 }), head({ sequence: 5, aliveAgeMs: 31 * MINUTE }, 'dr'));
    expect(findings).toMatchObject([{ code: 'store-behind', about: '3.9.3 dr' }]);
  });

  it('with clocks apart cannot tell which configuration is newer', () => {
    expect(codes(head({ clockOffsetMs: -3000 }), head({ clockOffsetMs: 2001 }, 'dr'))).toEqual([
      'store-clocks-disagree',
    ]);
    expect(codes(head({ clockOffsetMs: -3000 }), head({ clockOffsetMs: 2000 }, 'dr'))).toEqual([]);
    expect(codes(head({ clockOffsetMs: 9000 }), head({ clockOffsetMs: null }, 'dr'))).toEqual([]);
  });
});

it('before the first look nothing is wrong', () => {
  expect(codes(headState('s3', { state: 'unknown', head: null }))).toEqual([]);
  expect(codes()).toEqual([]);
});
