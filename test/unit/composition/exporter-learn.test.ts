import { expect, it } from 'vitest';
import { createExporter, loadSettings } from '../../../src/index.ts';
import type { OpenSessionOptions, Source } from '../../../src/plugin/index.ts';
import { folderWith } from '../config/folder.ts';

const SETTINGS = `
cluster: test
gatewayVersions: ["3.9.3"]
source: { use: file, path: document.json }
storages: [memory]
encryption: none
service: { listen: "off" }
`;

/** A control plane that takes every session and says nothing; tells what it was asked. */
function silentSource() {
  const asked: OpenSessionOptions[] = [];
  let wake = () => {};
  const source: Source = {
    open: async (options) => {
      asked.push(options);
      wake();
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      async function* nothing() {
        await ended;
        yield* [];
      }
      return { configurations: nothing(), close: async () => end() };
    },
  };
  const until = async (count: number) => {
    while (asked.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return asked;
  };
  return { source, until };
}

it('a data plane of another version makes the exporter ask for that as well, with its plugins', async () => {
  const cwd = folderWith({ '.kongfallbackrc': SETTINGS, 'document.json': '{}' });
  const settings = await loadSettings({ role: 'exporter', cwd, env: {} });
  const { source, until } = silentSource();
  const exporter = createExporter(settings, { parts: { source } });
  exporter.learn({ gatewayVersion: '3.7.1', plugins: [] });
  const stop = new AbortController();
  const running = exporter.run(stop.signal);
  expect((await until(1))[0]).toMatchObject({ gatewayVersion: '3.9.3', plugins: [] });

  exporter.learn({ gatewayVersion: '3.8.0', plugins: ['theirs'] });
  exporter.learn({ gatewayVersion: '3.9.3', plugins: ['ours'] });
  expect((await until(2))[1]).toMatchObject({ gatewayVersion: '3.8.0', plugins: ['theirs'] });
  expect(exporter.status().map(({ gatewayVersion }) => gatewayVersion)).toEqual(['3.9.3', '3.8.0']);
  expect(exporter.findings()).toMatchObject([{ code: 'version-not-in-settings', about: '3.8.0' }]);
  stop.abort();
  await running;
  expect(exporter.status().map(({ gatewayVersion }) => gatewayVersion)).toEqual(['3.9.3']);
  await exporter.close();
});
