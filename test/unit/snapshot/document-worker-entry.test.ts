import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/resilience/index.ts';
import {
  type DocumentJob,
  DocumentWorker,
  type ValidatorReference,
} from '../../../src/snapshot/document-worker.ts';

// The whole way: main thread, real worker entry, built-in and foreign validators, and back.

const entryUrl = new URL('../../../src/composition/prepare-worker.ts', import.meta.url);
const captures = new URL('../../fixtures/captures/', import.meta.url);
const patient = { signal: new AbortController().signal, deadlineMs: 60_000 };
const BUILT_IN: readonly ValidatorReference[] = [
  { use: 'kong-schema', id: 'kong-schema', url: null, settings: {} },
  {
    use: 'shrinkage',
    id: 'shrinkage',
    url: null,
    settings: { maxShrinkPercent: 50, minimumEntities: 20 },
  },
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kongfallback-entry-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function jobOf(frame: string, replaced: Partial<DocumentJob> = {}): Promise<DocumentJob> {
  return {
    form: 'frame',
    bytes: new Uint8Array(await readFile(new URL(frame, captures))),
    fromControlPlane: true,
    cluster: 'production',
    gatewayVersion: '3.9.3',
    now: Date.UTC(2026, 10, 21),
    maxDocumentBytes: 512 * 1024 * 1024,
    compress: true,
    ...replaced,
  };
}

const workerWith = (validators: readonly ValidatorReference[], options: object = {}) =>
  new DocumentWorker({ entryUrl, validators, clock: systemClock, baseDirectory: folder, ...options });

async function foreign(body: string): Promise<ValidatorReference> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  const schema = `{ '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }`;
  const plugin = `export default { kind: 'validator', name: 'foreign', settings: ${schema}, create: (settings, context) => (${body}) };`;
  await writeFile(file, plugin);
  return { use: './foreign.mjs', id: 'foreign', url: pathToFileURL(file).href, settings: { limit: 7 } };
}

describe('validators that fail', () => {
  it('names a foreign one that throws, and nothing else comes of the job', async () => {
    const validator = await foreign(`{ validate: async () => { throw new Error('no such file'); } }`);
    await expect(
      workerWith([validator]).run(await jobOf('control-plane/empty/frame-1.json.gz'), patient),
    ).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'KF_VALIDATOR_FAILED',
      message: 'validator foreign: no such file',
      hint: expect.stringContaining('nothing was published'),
    });
  });

  it('keeps the kind and hint of an error made with the context', async () => {
    const validator = await foreign(
      `{ validate: async () => { throw context.error('denied', 'no licence', { hint: 'Buy one.' }); } }`,
    );
    await expect(
      workerWith([validator]).run(await jobOf('control-plane/empty/frame-1.json.gz'), patient),
    ).rejects.toMatchObject({ kind: 'denied', code: 'KF_VALIDATOR_DENIED', hint: 'Buy one.' });
  });

  it('names one that is no longer there', async () => {
    const gone = {
      ...(BUILT_IN[0] as ValidatorReference),
      url: pathToFileURL(join(folder, 'gone.mjs')).href,
    };
    await expect(
      workerWith([gone]).run(await jobOf('control-plane/empty/frame-1.json.gz'), patient),
    ).rejects.toMatchObject({ kind: 'invalid', code: 'KF_PLUGIN_INVALID' });
  });

  it('survives what a foreign one logs and prints', async () => {
    const validator = await foreign(`{ validate: async () => {
      const fields = { settings }; fields.self = fields;
      context.log.warn(fields, 'cyclic'); context.log.warn({ settings }, 'seen'); console.log('to stdout');
      for (let i = 0; i < 1000; i++) context.log.warn({}, 'flood');
      return []; } }`);
    const lines: unknown[][] = [];
    const ignore = () => {};
    const log = {
      debug: ignore,
      info: ignore,
      error: ignore,
      warn: (...line: unknown[]) => lines.push(line),
    };
    await workerWith([validator], { log }).run(await jobOf('control-plane/empty/frame-1.json.gz'), patient);
    expect(lines.slice(0, 2)).toEqual([
      [{}, 'cyclic'],
      [{ settings: { limit: 7 } }, 'seen'],
    ]);
    expect(lines).toHaveLength(200);
  });
});

describe('a recorded frame', () => {
  it('comes back described, and its bytes are those of config_table', async () => {
    const job = await jobOf('control-plane/mixed/frame-1.json.gz');
    const message = gunzipSync(job.bytes).toString();
    const prepared = await workerWith(BUILT_IN).run(job, patient);
    expect(prepared.findings).toEqual([]);
    expect(prepared).toMatchObject({
      configHash: 'efc54e13b9dcea24a87f55f3ba401936',
      counts: { services: 6, routes: 11, plugins: 13, parameters: 1 },
      empty: false,
      loadableUntil: null,
    });
    const document = gunzipSync(prepared.compressed ?? new Uint8Array()).toString();
    expect(message).toContain(`"config_table":${document}`);
    expect(JSON.parse(document)).toEqual(JSON.parse(message).config_table);
    expect(prepared.length).toBe(Buffer.byteLength(document));
  });

  it('is refused by findings, not by an error, when it is empty', async () => {
    const prepared = await workerWith(BUILT_IN).run(
      await jobOf('control-plane/empty/frame-1.json.gz', { compress: false }),
      patient,
    );
    expect(prepared.findings).toMatchObject([
      { code: 'shrinkage/empty', severity: 'error', acceptable: true },
    ]);
    expect(prepared).toMatchObject({ empty: true, compressed: null });
  });

  it('that is damaged is one classified error', async () => {
    const job = await jobOf('control-plane/mixed/frame-1.json.gz');
    job.bytes[job.bytes.length - 8] = (job.bytes.at(-8) ?? 0) ^ 1;
    await expect(workerWith(BUILT_IN).run(job, patient)).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'KF_FRAME_DAMAGED',
    });
  });
});
