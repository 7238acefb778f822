import { readCertificate, readPrivateKey, resolvePem } from './pem.ts';
import type { Problem } from './problem.ts';
import type { ParsedSettings } from './schema.ts';
import type { SettingPath } from './setting-path.ts';

/** The control plane block with everything read: PEM texts, ports filled in. */
export interface ControlPlaneSettings {
  /** host:port, tried in order. */
  readonly addresses: readonly string[];
  readonly certificate: string;
  readonly key: string;
  readonly mtls: 'shared' | 'pki';
  readonly ca?: string;
  readonly serverName?: string;
}

export interface ResolvedControlPlane {
  readonly settings?: ControlPlaneSettings;
  readonly problems: readonly Problem[];
  /** The key's file, when every user of the machine may read it. */
  readonly openKey?: string;
}

/** Kong's own port of cluster_listen. */
const CLUSTER_PORT = 8005;

export async function resolveControlPlane(
  given: NonNullable<ParsedSettings['controlPlane']>,
  baseDirectory: string,
): Promise<ResolvedControlPlane> {
  const problems: Problem[] = [];
  const at = (name: string): SettingPath => ['controlPlane', name];
  const attempt = async <T>(name: string, make: () => Promise<T> | T): Promise<T | undefined> => {
    try {
      return await make();
    } catch (error) {
      problems.push({ path: at(name), message: (error as Error).message });
      return undefined;
    }
  };
  const certificate = await attempt('certificate', () => resolvePem(given.certificate, baseDirectory));
  const key = await attempt('key', () => resolvePem(given.key, baseDirectory));
  const { ca: caGiven } = given;
  const ca =
    caGiven === undefined ? undefined : await attempt('ca', () => resolvePem(caGiven, baseDirectory));
  const parsed = certificate && (await attempt('certificate', () => readCertificate(certificate.text)));
  const parsedKey = key && (await attempt('key', () => readPrivateKey(key.text)));
  if (ca !== undefined) await attempt('ca', () => readCertificate(ca.text));
  if (parsed !== undefined && parsedKey !== undefined && !parsed.checkPrivateKey(parsedKey)) {
    problems.push({
      path: at('key'),
      message: 'does not belong to controlPlane.certificate; expected its private key',
    });
  }
  if (given.mtls === 'shared' && (given.ca !== undefined || given.serverName !== undefined)) {
    problems.push({
      path: at(given.ca === undefined ? 'serverName' : 'ca'),
      message: 'is used with mtls: pki only; set controlPlane.mtls to pki, or remove it',
    });
  }
  if (given.mtls === 'pki' && given.ca === undefined) {
    problems.push({
      path: at('ca'),
      message: 'is required with mtls: pki: the CA that issued the certificates',
    });
  }
  const openKey = key?.openFile === undefined ? {} : { openKey: key.openFile };
  if (problems.length > 0 || certificate === undefined || key === undefined) return { problems, ...openKey };
  const addresses = [given.address].flat().map((address) => withPort(address));
  return {
    settings: {
      addresses,
      certificate: certificate.text,
      key: key.text,
      mtls: given.mtls,
      ...(ca !== undefined && { ca: ca.text }),
      ...(given.serverName !== undefined && { serverName: given.serverName }),
    },
    problems,
    ...openKey,
  };
}

const withPort = (address: string): string =>
  /:\d+$/.test(address) ? address : `${address}:${CLUSTER_PORT}`;
