import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { FallbackError } from '../errors/index.ts';
import { makeDirectory } from '../restore/make-directory.ts';
import { signingKeyId, wrappingKeyId } from '../snapshot/keys.ts';
import type { CommandIo } from './command-io.ts';

interface KeygenOptions {
  readonly outDir: string;
  readonly name?: string;
  readonly signing?: true;
  readonly encryption?: true;
  readonly json?: true;
}

interface KeyFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** Paths and key ids only: what this prints may be pasted anywhere. */
interface MadeKeys {
  readonly signing?: { readonly keyId: string; readonly privateKey: string; readonly publicKey: string };
  readonly encryption?: { readonly keyId: string; readonly key: string };
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SECRET_MODE = 0o600;
const PUBLIC_MODE = 0o644;

export function registerKeygen(program: Command, io: CommandIo): void {
  program
    .command('keygen')
    .summary('make a signing key pair or an encryption key')
    .description(
      'Makes an Ed25519 key pair for signing heads, or with --encryption a 32-byte key for aes-gcm; with --signing and ' +
        '--encryption both. Files that exist are never overwritten.',
    )
    .option('--out-dir <dir>', 'folder for the files; made if missing', '.')
    .option('--name <name>', 'first part of the file names')
    .option('--signing', 'a signing key pair: head.key and head.pub, or <name>.key and <name>.pub (default)')
    .option('--encryption', 'an encryption key: encryption.key, or <name>-encryption.key')
    .option('--json', 'print paths and key ids as JSON')
    .action(async (options: KeygenOptions) => {
      const made = await makeKeys(options, io.cwd);
      io.stdout(options.json ? `${JSON.stringify(made)}\n` : instructions(made));
    });
}

/** @throws FallbackError `invalid` KF_KEYGEN_NAME; `conflict` KF_KEY_EXISTS; `unavailable` KF_KEY_UNWRITABLE */
async function makeKeys(options: KeygenOptions, cwd: string): Promise<MadeKeys> {
  const { name, encryption } = options;
  if (name !== undefined && !NAME.test(name)) {
    throw new FallbackError(
      'invalid',
      'KF_KEYGEN_NAME',
      `--name ${JSON.stringify(name)} is no usable file name`,
      {
        hint: 'Use letters, digits, dots, hyphens and underscores; the folder is --out-dir.',
      },
    );
  }
  const folder = resolve(cwd, options.outDir);
  const signing =
    (options.signing ?? encryption === undefined) ? signingPair(join(folder, name ?? 'head')) : undefined;
  const wrapping = encryption
    ? encryptionKey(join(folder, name === undefined ? 'encryption.key' : `${name}-encryption.key`))
    : undefined;
  await writeNew(folder, [...(signing?.files ?? []), ...(wrapping?.files ?? [])]);
  return { ...(signing && { signing: signing.made }), ...(wrapping && { encryption: wrapping.made }) };
}

function signingPair(base: string) {
  const pair = generateKeyPairSync('ed25519');
  const made = {
    keyId: signingKeyId(pair.publicKey),
    privateKey: `${base}.key`,
    publicKey: `${base}.pub`,
  };
  const files: KeyFile[] = [
    {
      path: made.privateKey,
      mode: SECRET_MODE,
      text: String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    },
    {
      path: made.publicKey,
      mode: PUBLIC_MODE,
      text: String(pair.publicKey.export({ type: 'spki', format: 'pem' })),
    },
  ];
  return { made, files };
}

function encryptionKey(path: string) {
  const key = randomBytes(32);
  const made = { keyId: wrappingKeyId(key), key: path };
  const files: KeyFile[] = [{ path, mode: SECRET_MODE, text: `${key.toString('base64')}\n` }];
  return { made, files };
}

/** All of them or none: half a pair is worse than no pair. */
async function writeNew(folder: string, files: readonly KeyFile[]): Promise<void> {
  const written: string[] = [];
  let path = folder;
  try {
    await makeDirectory(folder);
    for (const file of files) {
      path = file.path;
      const handle = await open(path, 'wx', file.mode);
      written.push(path);
      try {
        await handle.chmod(file.mode);
        await handle.writeFile(file.text);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
  } catch (cause) {
    for (const done of written) await unlink(done).catch(() => {});
    throw notWritten(path, cause);
  }
}

function notWritten(path: string, cause: unknown): FallbackError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST') {
    return new FallbackError('conflict', 'KF_KEY_EXISTS', `${path} exists already; no key was made`, {
      hint: 'Give another --name or --out-dir. Replacing a key that is in use makes every snapshot under it unreadable.',
    });
  }
  return new FallbackError('unavailable', 'KF_KEY_UNWRITABLE', `cannot write ${path}: ${message}`, {
    cause,
    hint: 'Give an --out-dir that this user may write.',
  });
}

function instructions({ signing, encryption }: MadeKeys): string {
  const lines: string[] = [];
  if (signing !== undefined) {
    lines.push(
      `signing key ${signing.keyId}`,
      `  private: ${signing.privateKey}   for exporters only`,
      `  public:  ${signing.publicKey}   for every reader`,
      '',
      'signing:',
      `  publicKeys: [${reference(signing.publicKey)}]`,
      `  privateKey: ${reference(signing.privateKey)}   # on the exporter only`,
      '',
    );
  }
  if (encryption !== undefined) {
    lines.push(
      `encryption key ${encryption.keyId}`,
      `  secret: ${encryption.key}   for exporters and readers; keep a copy offline`,
      '',
      `encryption: { use: aes-gcm, keys: [${reference(encryption.key)}] }`,
      '',
    );
  }
  return lines.join('\n');
}

const reference = (path: string): string => JSON.stringify(`\${file:${path}}`);
