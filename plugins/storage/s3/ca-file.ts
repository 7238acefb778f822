import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PluginContext } from 'kongfallback/plugin';

/** The bundle of all public CAs has 230 KiB. */
const MAX_BYTES = 4 * 2 ** 20;

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([^-]+)-----END [A-Z0-9 ]+-----/g;

/**
 * The certificates of a PEM file, whatever else stands in it.
 *
 * @throws kind `invalid` when there is no such file, or nothing usable in it
 */
export async function readCaFile(path: string, context: PluginContext): Promise<string> {
  const full = resolve(context.baseDirectory, path);
  const unusable = (what: string, cause?: unknown) =>
    context.error('invalid', `CA file ${full}: ${what}`, {
      cause,
      hint: 'Set `caFile` (or AWS_CA_BUNDLE) to a PEM file with the certificates of every CA that is to be trusted.',
    });
  const text = await readBounded(full).catch((error: NodeJS.ErrnoException) => {
    throw unusable(`cannot be read (${error.code ?? error.message})`, error);
  });
  if (text === undefined) throw unusable(`has more than ${MAX_BYTES} bytes`);
  const found = [...text.matchAll(CERTIFICATE)];
  if (found.length === 0) throw unusable('holds no certificate');
  const broken = found.findIndex(([, base64 = '']) => !isWhole(Buffer.from(base64, 'base64')));
  if (broken >= 0) throw unusable(`certificate ${broken + 1} of ${found.length} is damaged`);
  return found.map(([pem]) => pem).join('\n');
}

/**
 * TLS passes over a damaged certificate without a word. Whether it has the form (one DER sequence, no byte too few or
 * too many) is seen at once; parsing all public CAs would take 20 ms.
 */
function isWhole(der: Buffer): boolean {
  if (der.length < 128 || der[0] !== 0x30) return false;
  const bytes = (der[1] ?? 0) - 0x80;
  // A TRUSTED certificate has settings of OpenSSL behind it.
  return bytes >= 1 && bytes <= 3 && der.readUIntBE(2, bytes) + 2 + bytes <= der.length;
}

/** Undefined when it is too long. */
async function readBounded(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min((await file.stat()).size, MAX_BYTES) + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) return buffer.toString('latin1', 0, length);
      length += bytesRead;
    }
    return undefined;
  } finally {
    await file.close();
  }
}
