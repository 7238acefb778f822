import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/resilience/index.ts';
import { type DocumentJob, DocumentWorker } from '../../../src/snapshot/document-worker.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

const never = new AbortController().signal;
const patient = { signal: never, deadlineMs: 60_000 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kongfallback-worker-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

/** A worker whose entry is `source`; `port` and `data` are there. */
async function workerOf(source: string, options: object = {}): Promise<DocumentWorker> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  const head = `import { parentPort as port, workerData as data } from 'node:worker_threads';\n`;
  await writeFile(file, head + source);
  return new DocumentWorker({
    entryUrl: pathToFileURL(file),
    validators: [],
    clock: systemClock,
    ...options,
  });
}

const job = (replaced: Partial<DocumentJob> = {}): DocumentJob => ({
  form: 'document',
  bytes: new TextEncoder().encode('{"services":[]}'),
  fromControlPlane: true,
  cluster: 'production',
  gatewayVersion: '3.9.3',
  now: 0,
  maxDocumentBytes: 1_000_000,
  compress: true,
  ...replaced,
});

/** Says that it runs, then never ends. */
const ENDLESS = `port.once('message', () => {
  port.postMessage({ type: 'log', level: 'info', fields: {}, message: 'begun' });
  for (;;);
});`;

/** A logger, and a promise of its first line. */
function firstLine() {
  let heard = () => {};
  const line = new Promise<void>((resolve) => {
    heard = resolve;
  });
  return { line, log: { debug: heard, info: heard, warn: heard, error: heard } };
}

/** Answers with the job's bytes as `compressed`. */
const ECHO = `port.once('message', (job) =>
  port.postMessage({ type: 'prepared', document: { compressed: job.bytes, sha256: String(job.bytes.length) } }));`;

describe('a worker that does not answer as it should', () => {
  it('ends an endless one at the deadline', async () => {
    const ended = vi.spyOn(Worker.prototype, 'terminate');
    const clock = new FakeClock();
    const { line, log } = firstLine();
    const worker = await workerOf(ENDLESS, { clock, log });
    const running = worker.run(job(), { signal: never, deadlineMs: 5000 });
    running.catch(() => {});
    await line;
    await clock.advance(5000);
    await expect(running).rejects.toMatchObject({ kind: 'unavailable', code: 'KF_WORKER_DEADLINE' });
    await expect(running).rejects.toThrow('5000 ms');
    // The thread itself is gone, not only the wait for it.
    expect(await ended.mock.results[0]?.value).toBe(1);
  });

  it('ends an endless one when the caller stops', async () => {
    const ended = vi.spyOn(Worker.prototype, 'terminate');
    const { line, log } = firstLine();
    const worker = await workerOf(ENDLESS, { log });
    const stop = new AbortController();
    const running = worker.run(job(), { signal: stop.signal, deadlineMs: 60_000 });
    await line;
    stop.abort();
    await expect(running).rejects.toMatchObject({ kind: 'aborted', code: 'KF_ABORTED' });
    expect(await ended.mock.results[0]?.value).toBe(1);
  });

  it('starts none for a caller that has already stopped', async () => {
    const worker = await workerOf('throw new Error("started");');
    const kept = job();
    await expect(worker.run(kept, { ...patient, signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: 'aborted',
    });
    expect(kept.bytes.length).toBeGreaterThan(0);
  });

  it('tells an exit without an answer', async () => {
    const worker = await workerOf('port.once("message", () => process.exit(3));');
    await expect(worker.run(job(), patient)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'KF_WORKER_EXITED',
      message: expect.stringContaining('exit code 3'),
      hint: expect.stringContaining('process.exit()'),
    });
  });

  it('tells an exception that nobody caught', async () => {
    const worker = await workerOf(
      'port.once("message", () => { setImmediate(() => { throw new Error("loose end"); }); });',
    );
    await expect(worker.run(job(), patient)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'KF_WORKER_CRASHED',
      message: expect.stringContaining('loose end'),
    });
  });

  it('tells an entry that is not there', async () => {
    const entryUrl = pathToFileURL(join(folder, 'missing.mjs'));
    const worker = new DocumentWorker({ entryUrl, validators: [], clock: systemClock });
    await expect(worker.run(job(), patient)).rejects.toMatchObject({ code: 'KF_WORKER_CRASHED' });
  });

  it('survives a worker that runs out of memory', async () => {
    const worker = await workerOf(
      'port.once("message", () => { const a = []; for (;;) a.push(new Array(1e5).fill({})); });',
    );
    await expect(worker.run(job(), patient)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'KF_WORKER_OUT_OF_MEMORY',
      hint: expect.stringContaining('memory'),
    });
  });
});

describe('an answer', () => {
  it('carries kind, code, message and hint of an error', async () => {
    const worker = await workerOf(`port.once('message', () => port.postMessage({ type: 'failed',
      error: { kind: 'corrupt', code: 'KF_FRAME_DAMAGED', message: 'cut short', hint: 'again' } }));`);
    await expect(worker.run(job(), patient)).rejects.toMatchObject({
      name: 'FallbackError',
      kind: 'corrupt',
      code: 'KF_FRAME_DAMAGED',
      message: 'cut short',
      hint: 'again',
    });
  });

  it('moves the bytes there and back', async () => {
    const worker = await workerOf(ECHO);
    const moved = job();
    const { length } = moved.bytes;
    const prepared = await worker.run(moved, patient);
    expect(prepared.sha256).toBe(String(length));
    expect(new TextDecoder().decode(prepared.compressed ?? undefined)).toBe('{"services":[]}');
    expect(moved.bytes.length).toBe(0);
  });

  it('leaves a larger buffer alone of which the bytes are a part', async () => {
    const worker = await workerOf(ECHO);
    const larger = new TextEncoder().encode('before{"a":1}after');
    const prepared = await worker.run(job({ bytes: larger.subarray(6, 13) }), patient);
    expect(new TextDecoder().decode(prepared.compressed ?? undefined)).toBe('{"a":1}');
    expect(new TextDecoder().decode(larger)).toBe('before{"a":1}after');
  });

  it('hands on what validators log, and tells the entry where it is', async () => {
    const lines: unknown[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      error: () => {},
      warn: (...line: unknown[]) => lines.push(line),
    };
    const worker = await workerOf(
      `port.once('message', () => {
        port.postMessage({ type: 'log', level: 'warn', fields: { at: data.baseDirectory }, message: data.cluster });
        port.postMessage({ type: 'prepared', document: { compressed: null } });
      });`,
      { log, baseDirectory: '/etc/kongfallback' },
    );
    await worker.run(job(), patient);
    expect(lines).toEqual([[{ at: '/etc/kongfallback' }, 'production']]);
  });

  it('serves several jobs at once, a thread each', async () => {
    const worker = await workerOf(ECHO);
    const sizes = await Promise.all(
      [1, 2, 3].map(async (n) => (await worker.run(job({ bytes: new Uint8Array(n) }), patient)).sha256),
    );
    expect(sizes).toEqual(['1', '2', '3']);
  });
});
