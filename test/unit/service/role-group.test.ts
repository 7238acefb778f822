import { describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import type { Logger } from '../../../src/plugin/index.ts';
import { type GroupedRole, runTogether } from '../../../src/service/role-group.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const clock = () => new FakeClock({ now: 0 });

/** Roles that tell what happens to them; each runs until its signal unless it is told otherwise. */
function group() {
  const told: string[] = [];
  const write = (fields: { event?: string; part?: string; code?: string }) =>
    told.push(`${fields.event} ${fields.part} ${fields.code}`);
  const log = { debug: write, info: write, warn: write, error: write } as unknown as Logger;
  const role = (name: string, changes: Partial<GroupedRole> = {}): GroupedRole => ({
    name,
    log,
    stopMs: 1000,
    run: async (signal) => {
      told.push(`${name} runs`);
      await aborted(signal);
      told.push(`${name} stopped`);
    },
    close: async () => {
      told.push(`${name} closed`);
    },
    ...changes,
  });
  return { told, role };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

describe('roles in one process', () => {
  it('end with the first that fails, after all were stopped and closed', async () => {
    const { told, role } = group();
    const failing = role('node', {
      run: async () => {
        throw new FallbackError('denied', 'KF_X', 'no', { hint: 'y' });
      },
    });
    const ended = runTogether([role('exporter'), failing, role('relay')], {
      until: new AbortController().signal,
      clock: clock(),
    });
    await expect(ended).rejects.toMatchObject({ code: 'KF_X', kind: 'denied' });
    expect(told.slice(-5)).toEqual([
      'exporter stopped',
      'relay stopped',
      'relay closed',
      'node closed',
      'exporter closed',
    ]);
  });

  it('end with the first that just ends: nobody may think that it still runs', async () => {
    const { role } = group();
    const ended = runTogether([role('exporter'), role('node', { run: async () => {} })], {
      until: new AbortController().signal,
      clock: clock(),
    });
    await expect(ended).rejects.toMatchObject({
      code: 'KF_ROLE_ENDED',
      message: 'the node ended by itself',
    });
  });

  it('one that does not stop is given up after its deadline, and named', async () => {
    const { told, role } = group();
    const until = new AbortController();
    const time = clock();
    const ended = runTogether([role('exporter'), role('relay', { run: () => new Promise(() => {}) })], {
      until: until.signal,
      clock: time,
    });
    until.abort();
    await time.advance(999);
    expect(told).not.toContain('exporter closed');
    await time.advance(1);
    await ended;
    expect(told).toContain('shutdown.part-failed relay KF_DEADLINE_EXCEEDED');
    expect(told.slice(-2)).toEqual(['relay closed', 'exporter closed']);
  });

  it('one that fails while it is stopped, or cannot be closed, keeps no other from its end', async () => {
    const { told, role } = group();
    const until = new AbortController();
    const throwing = async () => {
      throw new Error('late');
    };
    const late = role('relay', {
      run: async (signal) => {
        await aborted(signal);
        await throwing();
      },
      close: throwing,
    });
    const ended = runTogether([role('exporter'), late], { until: until.signal, clock: clock() });
    until.abort();
    await ended;
    expect(told.filter((line) => line.startsWith('shutdown.part-failed relay'))).toHaveLength(2);
    expect(told.at(-1)).toBe('exporter closed');
  });

  it('end at once when the signal had fired before', async () => {
    const { told, role } = group();
    const until = AbortSignal.abort();
    await runTogether([role('exporter')], { until, clock: clock() });
    expect(told).toEqual(['exporter runs', 'exporter stopped', 'exporter closed']);
  });
});
