import { expect, it } from 'vitest';
import { Findings, silentLogger } from '../../../../src/observe/index.ts';
import { frameHeader } from '../../../../src/relay/copy/frame-header.ts';
import { StandingCopyFindings } from '../../../../src/relay/copy/standing-copy-findings.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

const MIB = 1024 * 1024;
/** Of so many compressed bytes, which need not be there to be judged. */
const frameOf = (payload: number) => {
  const header = frameHeader(payload);
  return { pieces: [header], length: header.length + payload };
};

it.each([
  ['3.9.3', 16 * MIB, 0],
  ['3.9.3', 16 * MIB + 1, 1],
  ['3.4.0', 16 * MIB, 0],
  ['3.3.1', 4 * MIB, 0],
  ['3.3.1', 4 * MIB + 1, 1],
  ['2.8.5', 4 * MIB + 1, 1],
  ['3.12.0.0', 16 * MIB, 0],
  ['4.0.0', 5 * MIB, 0],
])(
  'a data plane of %s by default does not take more than its limit: %d bytes',
  (version, payload, findings) => {
    const standing = new Findings(new FakeClock(), silentLogger);
    const copy = new StandingCopyFindings(version, true, standing);
    copy.built(frameOf(payload));
    expect(standing.list()).toHaveLength(findings);
    if (findings === 0) return;
    expect(standing.list()).toMatchObject([
      {
        code: 'frame-above-max-payload',
        about: version,
        severity: 'warning',
        message: expect.stringContaining(String(payload)),
        hint: expect.stringContaining('cluster_max_payload'),
      },
    ]);
    copy.built(frameOf(1000));
    expect(standing.list()).toEqual([]);
  },
);

it('nothing stands, nor is raised, once nobody asks for the version any more', () => {
  const standing = new Findings(new FakeClock(), silentLogger);
  const copy = new StandingCopyFindings('3.9.3', false, standing);
  const noticed = [{ code: 'restore/refused', severity: 'warning' as const, message: 'away' }];
  copy.stale(noticed, '2026-11-21T11:02:05.000Z');
  copy.built(frameOf(17 * MIB));
  expect(standing.list()).toHaveLength(3);
  copy.end();
  copy.stale(noticed, '2026-11-21T11:02:05.000Z');
  copy.built(frameOf(17 * MIB));
  expect(standing.list()).toEqual([]);
});
