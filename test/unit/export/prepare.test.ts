import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type NamedValidator, prepare } from '../../../src/export/prepare.ts';
import type { Validator } from '../../../src/plugin/index.ts';
import type { DocumentJob } from '../../../src/snapshot/document-worker.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const DOCUMENT = '{"_format_version":"3.0","_transform":false,"services":[{"id":"a","name":"é"}]}';

const job = (replaced: Partial<DocumentJob> = {}): DocumentJob => ({
  form: 'document',
  bytes: encode(DOCUMENT),
  fromControlPlane: false,
  cluster: 'production',
  gatewayVersion: '3.9.3',
  now: 7,
  maxDocumentBytes: 100_000,
  compress: true,
  ...replaced,
});

const run = (replaced: Partial<DocumentJob>, ...validators: Validator['validate'][]) =>
  prepare(job(replaced), validators.map(named), new FakeClock());

const named = (validate: Validator['validate'], at: number): NamedValidator => ({
  id: `v${at}`,
  validator: { validate },
});

describe('bytes that are no document', () => {
  it.each([
    ['cut JSON', DOCUMENT.slice(0, -2), 'KF_DOCUMENT_NOT_JSON'],
    ['YAML', '_format_version: "3.0"\nservices: []\n', 'KF_DOCUMENT_NOT_JSON'],
    ['nothing', '', 'KF_DOCUMENT_NOT_JSON'],
    ['an array', '[]', 'KF_DOCUMENT_NOT_A_TABLE'],
    ['null', 'null', 'KF_DOCUMENT_NOT_A_TABLE'],
    ['a string', '"text"', 'KF_DOCUMENT_NOT_A_TABLE'],
  ])('%s is corrupt', async (_name, text, code) => {
    await expect(run({ bytes: encode(text) })).rejects.toMatchObject({ kind: 'corrupt', code });
  });

  it('invalid UTF-8 is corrupt, not repaired', async () => {
    const bytes = new Uint8Array([...encode('{"a":"'), 0xff, 0xfe, ...encode('"}')]);
    await expect(run({ bytes })).rejects.toMatchObject({ kind: 'corrupt', code: 'KF_DOCUMENT_NOT_JSON' });
  });

  it('never quotes the text around the fault', async () => {
    const error = await run({ bytes: encode('{"key":"hunter2",}') }).catch((thrown: unknown) => thrown);
    const { message, cause } = error as Error;
    expect(message).toBe('the configuration is not JSON in UTF-8, first wrong at character 17');
    expect(cause).toBeUndefined();
  });

  it('more than the limit is refused before it is read', async () => {
    const bytes = encode(`{"a":"${'x'.repeat(200)}`);
    await expect(run({ bytes, maxDocumentBytes: 100 })).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'KF_DOCUMENT_TOO_LARGE',
      message: expect.stringContaining('206 bytes, more than 100'),
    });
  });

  it('nesting that no data plane reads is refused', async () => {
    const deep = `{"services":${'['.repeat(2000)}${']'.repeat(2000)}}`;
    await expect(run({ bytes: encode(deep) })).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'KF_DOCUMENT_TOO_DEEP',
    });
  });

  it('a frame is held to the limit too', async () => {
    const message = `{"type":"reconfigure","config_table":{"services":[${'{},'.repeat(1000)}{}]}}`;
    const bytes = new Uint8Array(gzipSync(message));
    await expect(run({ form: 'frame', bytes, maxDocumentBytes: 500 })).rejects.toMatchObject({
      kind: 'unsupported',
    });
  });
});

describe('validators', () => {
  it('stop everything when one throws, even after others found nothing', async () => {
    const throws = async () => {
      throw new Error('disk on fire');
    };
    await expect(run({}, async () => [], throws)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'KF_VALIDATOR_FAILED',
      message: 'validator v1: disk on fire',
      hint: expect.stringContaining('nothing was published'),
    });
  });

  it('may throw synchronously, or something that is no error', async () => {
    const throws = (): never => {
      throw 'text';
    };
    await expect(run({}, throws)).rejects.toMatchObject({ code: 'KF_VALIDATOR_FAILED' });
  });

  it('keep the kind, code and hint that they declare', async () => {
    const error = Object.assign(new Error('no gateway'), { kind: 'denied', code: 'KF_X_Y', hint: 'Ask.' });
    const throws = () => Promise.reject(error);
    await expect(run({}, throws)).rejects.toMatchObject({ kind: 'denied', code: 'KF_X_Y', hint: 'Ask.' });
  });

  it.each([
    undefined,
    null,
    'fine',
    [null],
    [{ code: 'a', message: 'b' }],
    [{ code: 'a', message: 'b', severity: 'info' }],
    [{ message: 'b', severity: 'error' }],
  ])('have failed when they return %j', async (returned) => {
    await expect(run({}, async () => returned as never)).rejects.toMatchObject({
      code: 'KF_VALIDATOR_FAILED',
    });
  });

  it('are run in order and see one frozen table, the bytes, and the context', async () => {
    const seen: unknown[] = [];
    const look: Validator['validate'] = async ({ bytes, table }, context) => {
      seen.push(table);
      expect(new TextDecoder().decode(bytes)).toBe(DOCUMENT);
      expect(Object.isFrozen(table)).toBe(true);
      expect(Object.isFrozen(table['services'])).toBe(true);
      expect(context).toEqual({
        cluster: 'production',
        gatewayVersion: '3.9.3',
        fromControlPlane: false,
        counts: { services: 1 },
        previous: { counts: { services: 9 }, configHash: null },
        now: 7,
      });
      return [{ code: `order/${seen.length}`, severity: 'warning', message: 'm' }];
    };
    const previous = { counts: { services: 9 }, configHash: null };
    const { findings } = await run({ previous }, look, look);
    expect(findings.map(({ code }) => code)).toEqual(['order/1', 'order/2']);
    expect(seen[0]).toBe(seen[1]);
  });

  it('cannot smuggle anything across in a finding', async () => {
    const finding = {
      code: 'c',
      severity: 'error',
      message: 'm'.repeat(5000),
      path: [1, { a: 1 }],
      acceptable: 'yes',
      extra: () => {},
    };
    const { findings } = await run({}, async () => [finding] as never);
    expect(structuredClone(findings)).toEqual([
      { code: 'c', severity: 'error', message: `${'m'.repeat(1000)}…`, path: ['1', '[object Object]'] },
    ]);
  });

  it('cannot bury a refusal under a flood', async () => {
    const flood = Array.from({ length: 5000 }, (_, n) => ({
      code: `w/${n}`,
      severity: 'warning',
      message: 'm',
    }));
    const { findings } = await run(
      {},
      async () => flood as never,
      async () => [{ code: 'refused', severity: 'error', message: 'm' }],
    );
    expect(findings).toHaveLength(200);
    expect(findings[0]?.code).toBe('refused');
  });
});

describe('a document', () => {
  it('comes out as the bytes that went in', async () => {
    const prepared = await run({});
    const document = gunzipSync(prepared.compressed ?? new Uint8Array());
    expect(document.toString()).toBe(DOCUMENT);
    expect(prepared).toMatchObject({
      sha256: createHash('sha256').update(DOCUMENT).digest('hex'),
      length: Buffer.byteLength(DOCUMENT),
      configHash: null,
      hashes: null,
      timestamp: null,
      counts: { services: 1 },
      plugins: [],
      empty: false,
      loadableUntil: null,
      findings: [],
    });
  });

  it('is compressed into a buffer of its own, so that it can be moved', async () => {
    for (const size of [10, 3_000_000]) {
      const bytes = encode(JSON.stringify({ _comment: 'x'.repeat(size) }));
      const { compressed } = await run({ bytes, maxDocumentBytes: 10_000_000 });
      expect(compressed?.buffer.byteLength).toBe(compressed?.byteLength);
    }
  });

  it('is not compressed when only the findings are wanted', async () => {
    expect((await run({ compress: false })).compressed).toBeNull();
  });

  it('keeps white space, nulls, order and numbers as they are', async () => {
    const odd = '{ "b": 1.50e3,\n "a": null, "a": [] , "\\u0061b": "\\/"}';
    const { compressed } = await run({ bytes: encode(odd) });
    expect(gunzipSync(compressed ?? new Uint8Array()).toString()).toBe(odd);
  });
});

describe('a frame', () => {
  it('is sliced, also where a value contains the text of the member', async () => {
    const table = '{"plugins":[{"name":"pre-function","config":{"access":["x = \\"config_table\\":{"]}}]}';
    const message = `{"timestamp":1.5,"config_hash":"h","type":"reconfigure","config_table":${table}}`;
    const prepared = await run({ form: 'frame', bytes: new Uint8Array(gzipSync(message)) });
    expect(gunzipSync(prepared.compressed ?? new Uint8Array()).toString()).toBe(table);
    expect(prepared).toMatchObject({ configHash: 'h', timestamp: 1.5, plugins: ['pre-function'] });
  });

  it('recorded from a real control plane is described', async () => {
    const path = new URL('../../fixtures/captures/control-plane/bulk15k/frame-1.json.gz', import.meta.url);
    const bytes = new Uint8Array(await readFile(path));
    const prepared = await run({ form: 'frame', bytes, maxDocumentBytes: 50_000_000 });
    expect(prepared.counts).toEqual({ services: 5000, routes: 10_000, workspaces: 1, parameters: 1 });
    expect(prepared.configHash).toBe('2516699cf4c01c3cf83bbb7466d8d563');
  });
});
