import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { readText } from './read-text.ts';

export interface Pem {
  readonly text: string;
  /** Set when it came from a file that every user of the machine may read. */
  readonly openFile?: string;
}

/**
 * A PEM given as itself, as base64 of a PEM, or as a path.
 *
 * @throws a plain Error that says what is wrong, without the value unless it is a path
 */
export async function resolvePem(value: string, baseDirectory: string): Promise<Pem> {
  const inline = inlinePem(value);
  if (inline !== undefined) return { text: inline };
  // A path of that length is none: more likely a PEM without its armour, perhaps a key. It is not repeated.
  if (value.length > 1024 || value.includes('\n')) {
    throw new Error('is neither a PEM (-----BEGIN …), nor base64 of one, nor a path');
  }
  const path = resolve(baseDirectory, value);
  const { text, mode } = await readText(path).catch((error: Error) => {
    throw new Error(
      value.length > 200
        ? 'is neither a PEM, nor base64 of one, nor a file that can be read'
        : `the file ${path} ${error.message}`,
      { cause: error },
    );
  });
  if (!text.includes('-----BEGIN ')) {
    throw new Error(`the file ${path} is not a PEM: it has no -----BEGIN line`);
  }
  return { text: ended(text), ...((mode & 0o004) !== 0 && { openFile: path }) };
}

/** The PEM that is written as itself or as base64; undefined when it is neither. */
export function inlinePem(value: string): string | undefined {
  if (value.includes('-----BEGIN ')) return ended(value);
  const decoded = /^[A-Za-z0-9+/=\s]{64,}$/.test(value)
    ? Buffer.from(value, 'base64').toString('latin1')
    : '';
  return decoded.includes('-----BEGIN ') ? ended(decoded) : undefined;
}

/** @throws a plain Error when the first certificate of the PEM cannot be read */
export function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    const other = /-----BEGIN ([A-Z ]{1,40})-----/.exec(pem)?.[1];
    throw new Error(
      other === undefined || other.endsWith('CERTIFICATE')
        ? 'is not a readable certificate'
        : `expected a certificate, found ${other}`,
      { cause: error },
    );
  }
}

/** @throws a plain Error when the PEM holds no private key that can be used without a passphrase */
export function readPrivateKey(pem: string): KeyObject {
  if (pem.includes('ENCRYPTED')) throw new Error('is protected by a passphrase; expected a key without one');
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const other = /-----BEGIN ([A-Z ]{1,40})-----/.exec(pem)?.[1];
    throw new Error(
      other === undefined || other.endsWith('PRIVATE KEY')
        ? 'is not a readable private key'
        : `expected a private key, found ${other}`,
      { cause: error },
    );
  }
}

const ended = (pem: string): string => (pem.endsWith('\n') ? pem : `${pem}\n`);
