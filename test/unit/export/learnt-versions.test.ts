import { describe, expect, it } from 'vitest';
import { LearntVersions } from '../../../src/export/learnt-versions.ts';
import { Findings } from '../../../src/observe/index.ts';
import type { Logger } from '../../../src/plugin/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const WEEK = 7 * 86_400_000;

function learning() {
  const clock = new FakeClock({ now: 0 });
  const events: string[] = [];
  const write = (fields: { event?: string; gatewayVersion?: string }) =>
    events.push(`${fields.event} ${fields.gatewayVersion ?? ''}`.trim());
  const log = { debug: write, info: write, warn: write, error: write } as unknown as Logger;
  const findings = new Findings(clock, log);
  const followed = new Map<string, AbortSignal>();
  let failing = false;
  const lateFailures = new Map<string, Promise<never>>();
  const learnt = new LearntVersions({
    known: ['3.9.3'],
    follow: async (version, signal) => {
      const late = lateFailures.get(version);
      lateFailures.delete(version);
      if (late !== undefined) await late;
      if (failing) throw new Error('no such line');
      followed.set(version, signal);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      followed.delete(version);
    },
    clock,
    log,
    findings,
  });
  const see = (gatewayVersion: string, ...plugins: string[]) => learnt.learn({ gatewayVersion, plugins });
  return {
    clock,
    learnt,
    followed,
    findings,
    events,
    see,
    /** The next line of the version heeds no signal, and fails when the answer is called. */
    failLater: (version: string) => {
      let fail = () => {};
      const late = new Promise<never>((_resolve, reject) => {
        fail = () => reject(new Error('no such line'));
      });
      lateFailures.set(version, late);
      return fail;
    },
    fail: (is: boolean) => {
      failing = is;
    },
  };
}

describe('nothing is begun for', () => {
  it.each(['', '3', '3.9', '3.9.x', '3.9.1-rc1', '../3.9.1', '3.9.1\n', '9'.repeat(5000), '3.9.3'])(
    '%j',
    (version) => {
      const { see, followed, findings } = learning();
      see(version);
      expect(followed.size).toBe(0);
      expect(findings.list()).toEqual([]);
    },
  );

  it('a ninth version, until one of the eight is forgotten', async () => {
    const { see, followed, clock } = learning();
    for (let patch = 1; patch <= 9; patch++) see(`3.8.${patch}`);
    expect([...followed.keys()]).toHaveLength(8);
    for (let patch = 2; patch <= 8; patch++) {
      clock.jump(1);
      see(`3.8.${patch}`);
    }
    clock.jump(WEEK - 7);
    see('3.8.9');
    await Promise.resolve();
    expect(followed.has('3.8.1')).toBe(false);
    expect(followed.has('3.8.9')).toBe(true);
  });
});

describe('a version that is not in the settings', () => {
  it('gets one line, is told once, and stands as a finding', () => {
    const { see, followed, findings, events } = learning();
    see('3.8.1');
    see('3.8.1');
    expect([...followed.keys()]).toEqual(['3.8.1']);
    expect(events).toEqual(['export.version-learnt 3.8.1', 'finding.raised']);
    expect(findings.list()).toMatchObject([
      { code: 'version-not-in-settings', about: '3.8.1', severity: 'warning' },
    ]);
  });

  it('is forgotten seven days after it was last seen, with what its line had to say', async () => {
    const { see, followed, findings, clock, learnt } = learning();
    see('3.8.1');
    findings.raise({ code: 'cp-silent', about: '3.8.1', severity: 'critical', message: 'x' });
    findings.raise({ code: 'snapshot-damaged', about: '3.8.1 s3', severity: 'critical', message: 'x' });
    findings.raise({ code: 'cp-silent', about: '3.8.10', severity: 'critical', message: 'x' });
    clock.jump(WEEK - 1);
    see('3.8.1');
    clock.jump(WEEK - 1);
    learnt.forget();
    expect(followed.has('3.8.1')).toBe(true);
    clock.jump(1);
    learnt.forget();
    await Promise.resolve();
    expect(followed.has('3.8.1')).toBe(false);
    expect(findings.list().map(({ about }) => about)).toEqual(['3.8.10']);
    expect(learnt.pluginsOf('3.8.1')).toEqual([]);
  });

  it('whose line fails is begun again when it is seen again', async () => {
    const { see, followed, events, fail } = learning();
    fail(true);
    see('3.8.1');
    await new Promise(setImmediate);
    expect(events).toContain('export.version-failed 3.8.1');
    fail(false);
    see('3.8.1');
    expect(followed.has('3.8.1')).toBe(true);
  });

  it('whose line fails after it was forgotten leaves the line that was begun since', async () => {
    const { see, followed, clock, events, learnt, failLater } = learning();
    const failNow = failLater('3.8.1');
    see('3.8.1');
    clock.jump(WEEK);
    learnt.forget();
    see('3.8.1', 'ours');
    failNow();
    await new Promise(setImmediate);
    see('3.8.1');
    expect(events.filter((event) => event === 'export.version-learnt 3.8.1')).toHaveLength(2);
    expect(learnt.pluginsOf('3.8.1')).toEqual(['ours']);
    await learnt.close();
    expect(followed.size).toBe(0);
  });

  it('is waited for at the end, also when it was forgotten before', async () => {
    const { see, clock, learnt, failLater } = learning();
    const failNow = failLater('3.8.1');
    see('3.8.1');
    clock.jump(WEEK);
    learnt.forget();
    let closed = false;
    const closing = learnt.close().then(() => {
      closed = true;
    });
    await new Promise(setImmediate);
    expect(closed).toBe(false);
    failNow();
    await closing;
  });

  it('ends with the exporter', async () => {
    const { see, followed, learnt } = learning();
    see('3.8.1');
    await learnt.close();
    expect(followed.size).toBe(0);
  });
});

describe('plugins that were announced', () => {
  it('add up by version, known ones too, within bounds', () => {
    const { see, learnt } = learning();
    see('3.9.3', 'ours', 'key-auth');
    see('3.9.3', 'key-auth', 'theirs', '', 'x'.repeat(129));
    expect(learnt.pluginsOf('3.9.3')).toEqual(['ours', 'key-auth', 'theirs']);
    see('3.9.3', ...Array.from({ length: 5000 }, (_, n) => `p${n}`));
    expect(learnt.pluginsOf('3.9.3').length).toBeLessThanOrEqual(1000);
    expect(learnt.pluginsOf('3.8.1')).toEqual([]);
  });
});
