import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import aesGcm from '../../../plugins/encryption/aes-gcm/index.ts';
import { registerKeygen } from '../../../src/commands/keygen.ts';
import { Signer, Trust } from '../../../src/snapshot/keys.ts';
import { errorOf } from '../snapshot/sample-head.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kongfallback-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function keygen(...args: string[]): Promise<string> {
  let printed = '';
  const program = new Command().exitOverride();
  const io = {
    stdout: (text: string) => {
      printed += text;
    },
    stderr: () => {},
    env: {} as NodeJS.ProcessEnv,
    cwd: folder,
    terminal: false,
    exit: () => {},
  };
  registerKeygen(program, io);
  await program.parseAsync(['keygen', ...args], { from: 'user' });
  return printed;
}
const text = (name: string) => readFile(join(folder, name), 'utf8');
const mode = async (name: string) => (await stat(join(folder, name))).mode & 0o777;

describe('keygen', () => {
  it.each(['head.key', 'head.pub', 'encryption.key'])(
    'overwrites nothing and leaves no half: %s exists',
    async (existing) => {
      await writeFile(join(folder, existing), 'precious');
      const error = await errorOf(() => keygen('--signing', '--encryption'));
      expect(error).toMatchObject({ kind: 'conflict', code: 'KF_KEY_EXISTS' });
      expect(error.message).toContain(existing);
      expect(await readdir(folder)).toEqual([existing]);
      expect(await text(existing)).toBe('precious');
    },
  );

  it('refuses a name that is a path', async () => {
    expect(await errorOf(() => keygen('--name', '../x'))).toMatchObject({
      kind: 'invalid',
      code: 'KF_KEYGEN_NAME',
    });
  });

  it('names the folder that cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const error = await errorOf(() => keygen('--out-dir', 'file/keys'));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_KEY_UNWRITABLE' });
    expect(error.message).toContain(join(folder, 'file/keys'));
  });

  it('makes a pair that signs and verifies, the private half for its owner alone', async () => {
    await keygen();
    expect(await readdir(folder)).toEqual(['head.key', 'head.pub']);
    expect([await mode('head.key'), await mode('head.pub')]).toEqual([0o600, 0o644]);
    const signer = new Signer(await text('head.key'), 'key');
    const trust = new Trust([await text('head.pub')]);
    expect(trust.verify(signer.keyId, Buffer.from('x'), signer.sign(Buffer.from('x')))).toBe(true);
  });

  it('makes a key that aes-gcm takes', async () => {
    await keygen('--encryption', '--name', 'k1', '--out-dir', 'keys');
    expect(await readdir(join(folder, 'keys'))).toEqual(['k1-encryption.key']);
    expect(await mode('keys/k1-encryption.key')).toBe(0o600);
    const { issues } = await aesGcm.settings['~standard'].validate({
      keys: [await text('keys/k1-encryption.key')],
    });
    expect(issues).toBeUndefined();
  });

  it('prints where the keys are and their ids, never a secret', async () => {
    const printed = [
      await keygen('--signing', '--encryption'),
      await keygen('--signing', '--encryption', '--name', 'b', '--json'),
    ];
    const secrets = await Promise.all(['head.key', 'encryption.key', 'b.key', 'b-encryption.key'].map(text));
    for (const secret of secrets)
      for (const line of secret.split('\n').filter((part) => part.length > 20 && !part.startsWith('-'))) {
        expect(printed.join('')).not.toContain(line);
      }
    const made = JSON.parse(printed[1] as string);
    expect(made.signing).toEqual({
      keyId: new Signer(secrets[2] as string, '').keyId,
      privateKey: join(folder, 'b.key'),
      publicKey: join(folder, 'b.pub'),
    });
    expect(Object.keys(made.encryption)).toEqual(['keyId', 'key']);
    expect(printed[0]).toContain(`publicKeys: ["\${file:${join(folder, 'head.pub')}}"]`);
  });
});
