import { resolve } from 'node:path';
import { readCertificate, readPrivateKey, resolvePem } from './pem.ts';
import type { Problem } from './problem.ts';
import type { ParsedSettings } from './schema.ts';

/** The relay block with everything read: `certificate` and `key` are PEM texts, `cacheDirectory` is absolute. */
export type RelaySettings = ParsedSettings['relay'];

export interface ResolvedRelay {
  readonly settings: RelaySettings;
  readonly problems: readonly Problem[];
  /** The file of `relay.key`, when every user of the machine may read it. */
  readonly openKey?: string;
}

export async function resolveRelay(
  { controlPlane, relay }: ParsedSettings,
  baseDirectory: string,
): Promise<ResolvedRelay> {
  const problems: Problem[] = [];
  const { certificate: givenCertificate, key: givenKey, ...rest } = relay;
  const settings = { ...rest, cacheDirectory: resolve(baseDirectory, relay.cacheDirectory) };
  if ((givenCertificate === undefined) !== (givenKey === undefined)) {
    const missing = givenKey === undefined ? 'key' : 'certificate';
    problems.push({
      path: ['relay', missing],
      message: 'relay.certificate and relay.key go together: set both, or neither',
    });
  }
  if (givenCertificate !== undefined && controlPlane?.mtls !== 'pki') {
    problems.push({
      path: ['relay', 'certificate'],
      message:
        'is used with controlPlane.mtls: pki only; in shared mode both sides hold the same certificate',
    });
  }
  if (relay.maxStableSeconds < relay.stableSeconds) {
    problems.push({
      path: ['relay', 'maxStableSeconds'],
      message: `is less than relay.stableSeconds (${relay.stableSeconds})`,
    });
  }
  if (problems.length > 0 || givenCertificate === undefined || givenKey === undefined) {
    return { settings, problems };
  }
  let openKey: string | undefined;
  const read = async (name: 'certificate' | 'key', value: string): Promise<string | undefined> => {
    try {
      const { openFile, text } = await resolvePem(value, baseDirectory);
      if (name === 'key') {
        readPrivateKey(text);
        openKey = openFile;
      }
      if (name === 'certificate') readCertificate(text);
      return text;
    } catch (error) {
      problems.push({ path: ['relay', name], message: (error as Error).message });
      return undefined;
    }
  };
  const [certificate, key] = [await read('certificate', givenCertificate), await read('key', givenKey)];
  if (certificate === undefined || key === undefined) return { settings, problems };
  if (!readCertificate(certificate).checkPrivateKey(readPrivateKey(key))) {
    problems.push({
      path: ['relay', 'key'],
      message: 'does not belong to relay.certificate; expected its private key',
    });
  }
  return { settings: { ...settings, certificate, key }, problems, ...(openKey !== undefined && { openKey }) };
}
