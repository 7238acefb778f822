import { describe, expect, it } from 'vitest';
import { SettingsReload } from '../../../src/composition/settings-reload.ts';
import type { LoadedSettings } from '../../../src/config/index.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import { Findings } from '../../../src/observe/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

/** As much of the settings as is looked at. */
function loaded(
  certificate: string,
  rest: { address?: string; encryptionKey?: string } = {},
): LoadedSettings {
  const { address = 'cp:8005', encryptionKey = 'k1' } = rest;
  return {
    settings: {
      controlPlane: { addresses: [address], certificate, key: `key of ${certificate}`, mtls: 'shared' },
      relay: { allowedCommonNames: [] },
      signing: { publicKeys: [] },
    },
    entries: { encryption: [{ id: 'aes-gcm', use: 'aes-gcm', settings: { keys: [encryptionKey] } }] },
  } as unknown as LoadedSettings;
}

function reloading(first = loaded('one')) {
  const clock = new FakeClock();
  const events: string[] = [];
  const at = () => (fields: object) => {
    events.push(String((fields as { event?: unknown }).event));
  };
  const log = { debug: at(), info: at(), warn: at(), error: at() };
  const findings = new Findings(clock, log);
  const used: string[] = [];
  const state = { file: (): LoadedSettings => first, use: (): void => {}, reads: 0 };
  const reload = new SettingsReload(first, {
    load: async () => {
      state.reads++;
      return state.file();
    },
    changed: async ({ settings }) => {
      state.use();
      used.push(settings.controlPlane?.certificate ?? '');
    },
    clock,
    log,
    findings,
  });
  const stop = new AbortController();
  const running = reload.run(stop.signal);
  return { clock, events, findings, reload, running, state, stop, used };
}

/** For what is under way to come to its next pause. */
const settled = async () => {
  for (let n = 0; n < 20; n++) await Promise.resolve();
};

describe('what cannot be read or used', () => {
  it('is a finding and leaves the former in force, until it can again', async () => {
    const { clock, findings, state, used } = reloading();
    state.file = () => {
      throw new FallbackError('invalid', 'KF_TEST', 'the key is not that of the certificate', {
        hint: 'wait',
      });
    };
    await clock.advance(30_000);
    await settled();
    expect(findings.list()).toMatchObject([
      { code: 'settings-not-reloaded', severity: 'warning', hint: 'wait' },
    ]);
    expect(used).toEqual([]);
    state.file = () => loaded('two');
    await clock.advance(30_000);
    await settled();
    expect(findings.list()).toEqual([]);
    expect(used).toEqual(['two']);
  });

  it('is tried again although the file stays the same', async () => {
    const { clock, findings, state, used } = reloading();
    state.file = () => loaded('two');
    state.use = () => {
      throw new FallbackError('invalid', 'KF_TEST', 'a key service that is away');
    };
    await clock.advance(30_000);
    await settled();
    expect(findings.list()).toHaveLength(1);
    state.use = () => {};
    await clock.advance(30_000);
    await settled();
    expect([used, findings.list()]).toEqual([['two'], []]);
  });
});

describe('a rotation', () => {
  it('is seen within 30 s, once, and said', async () => {
    const { clock, events, state, used } = reloading();
    state.file = () => loaded('two');
    await clock.advance(29_000);
    await settled();
    expect(state.reads).toBe(0);
    await clock.advance(1000);
    await settled();
    await clock.advance(30_000);
    await settled();
    expect([state.reads, used, events]).toEqual([2, ['two'], ['settings.reloaded']]);
  });

  it('is seen at once when somebody asks, and at the usual times after that', async () => {
    const { clock, reload, state, used } = reloading();
    state.file = () => loaded('two');
    reload.lookNow();
    await settled();
    expect(used).toEqual(['two']);
    state.file = () => loaded('three');
    await clock.advance(30_000);
    await settled();
    expect(used).toEqual(['two', 'three']);
  });

  it('of keys of the storage counts too; another address does not, which needs a restart', async () => {
    const { reload, state, used } = reloading();
    state.file = () => loaded('one', { address: 'other:8005' });
    reload.lookNow();
    await settled();
    expect([state.reads, used]).toEqual([1, []]);
    state.file = () => loaded('one', { encryptionKey: 'k2' });
    reload.lookNow();
    await settled();
    expect(used).toEqual(['one']);
  });

  it('nobody asks for after the end', async () => {
    const { reload, running, state, stop } = reloading();
    stop.abort();
    await running;
    reload.lookNow();
    await settled();
    expect(state.reads).toBe(0);
  });
});
