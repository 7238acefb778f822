// Files open with the age command, and the reverse. Needs `age` and `age-keygen` (Debian package age).
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import age from '../../../../plugins/encryption/age/index.ts';
import type { Encryption } from '../../../../src/plugin/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';

const CONTEXT = Buffer.from('context');
const options = { signal: new AbortController().signal };
const found = ['age', 'age-keygen'].every((command) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command))),
);
if (!found) console.log('SKIPPED: no age command. Install it with: apt-get install -y age');

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

async function* once(bytes: Uint8Array) {
  yield bytes;
}

describe.skipIf(!found)('the age command', () => {
  let folder: string;
  let plugin: Encryption;
  let recipient: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kongfallback-age-'));
    execFileSync('age-keygen', ['-o', join(folder, 'identity')], { stdio: 'ignore' });
    recipient = execFileSync('age-keygen', ['-y', join(folder, 'identity')])
      .toString()
      .trim();
    const identity = /AGE-SECRET-KEY-1\S+/.exec(await readFile(join(folder, 'identity'), 'utf8'))?.[0] ?? '';
    plugin = (await age.create(
      { recipients: [recipient], identities: [identity] },
      pluginContext(),
    )) as Encryption;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([0, 1, 65_536, 65_537, 1_000_000])('opens what the plugin seals: %i bytes', async (length) => {
    const document = randomBytes(length);
    const file = join(folder, 'snapshot.kfs');
    await writeFile(file, await whole(plugin.seal(once(gzipSync(document)), CONTEXT, options)));
    const gzip = execFileSync('age', ['--decrypt', '-i', join(folder, 'identity'), file], {
      maxBuffer: 2 ** 24,
    });
    expect(gunzipSync(gzip).equals(document)).toBe(true);
  });

  it.each([0, 1, 65_536, 65_537, 1_000_000])('seals what the plugin opens: %i bytes', async (length) => {
    const document = randomBytes(length);
    const sealed = execFileSync('age', ['--encrypt', '-r', recipient], {
      input: document,
      maxBuffer: 2 ** 24,
    });
    expect((await whole(plugin.open(once(sealed), CONTEXT, options))).equals(document)).toBe(true);
  });

  it('opens for another recipient of several, and not for a stranger', async () => {
    execFileSync('age-keygen', ['-o', join(folder, 'offline')], { stdio: 'ignore' });
    execFileSync('age-keygen', ['-o', join(folder, 'stranger')], { stdio: 'ignore' });
    const offline = execFileSync('age-keygen', ['-y', join(folder, 'offline')])
      .toString()
      .trim();
    const both = await age.create({ recipients: [recipient, offline], identities: [] }, pluginContext());
    const file = join(folder, 'both.kfs');
    await writeFile(
      file,
      await whole((both as Encryption).seal(once(Buffer.from('both')), CONTEXT, options)),
    );
    const open = (key: string) =>
      execFileSync('age', ['--decrypt', '-i', join(folder, key), file], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    expect(open('offline').toString()).toBe('both');
    expect(() => open('stranger')).toThrow(/no identity matched/);
  });
});
