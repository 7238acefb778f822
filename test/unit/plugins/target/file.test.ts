import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import file from '../../../../plugins/target/file/index.ts';
import type { RestoredDocument, Target } from '../../../../src/plugin/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';

const SIGNAL = new AbortController().signal;
const isRoot = process.getuid?.() === 0;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-target-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const document = (body: RestoredDocument['body']): RestoredDocument => ({
  body,
  length: 3,
  sha256: '',
  gatewayVersion: '3.9.3',
  configHash: null,
});

async function target(settings: object): Promise<Target> {
  const checked = await file.settings['~standard'].validate({ path: 'kong.json', ...settings });
  if (checked.issues !== undefined) throw new Error(checked.issues[0]?.message);
  return (await file.create(checked.value as never, pluginContext({ baseDirectory: directory }))) as Target;
}

describe('target file', () => {
  it.each(['kong', '1000', '1000:', ':1000', '-1:0', '1000:4294967295', '1e3:0'])(
    'refuses the owner %s',
    async (owner) => {
      await expect(target({ owner })).rejects.toThrow(/expected numbers/);
    },
  );

  it.runIf(isRoot)('gives the file to its owner, with its mode', async () => {
    await (await target({ owner: '12345:54321', mode: '0440' })).apply(document([Buffer.from('new')]), {
      signal: SIGNAL,
    });
    const { uid, gid, mode } = statSync(join(directory, 'kong.json'));
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 12345, gid: 54321, mode: 0o440 });
  });

  it.runIf(!isRoot)('says that only root may give a file away', async () => {
    const applying = (await target({ owner: '0:0' })).apply(document([Buffer.from('new')]), {
      signal: SIGNAL,
    });
    await expect(applying).rejects.toMatchObject({ kind: 'denied', hint: expect.stringMatching(/root/) });
  });

  it('leaves what was there when the stream breaks', async () => {
    writeFileSync(join(directory, 'kong.json'), 'old');
    async function* body() {
      yield Buffer.from('ne');
      throw Object.assign(new Error('damaged'), { kind: 'corrupt' });
    }
    const applying = (await target({})).apply(document(body()), { signal: SIGNAL });
    await expect(applying).rejects.toMatchObject({ kind: 'corrupt' });
    expect(readFileSync(join(directory, 'kong.json'), 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['kong.json']);
  });
});
