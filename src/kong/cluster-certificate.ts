import { createPrivateKey, X509Certificate } from 'node:crypto';
import { controlPlaneError } from './control-plane-error.ts';
import type { ControlPlaneSettings } from './control-plane-settings.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Who we are towards a control plane, and whom we accept there. */
export class ClusterCertificate {
  /** PEM to present: with `shared` one leaf, whose digest the control plane compares with its own. */
  readonly presented: string;
  readonly key: string;
  readonly mtls: 'shared' | 'pki';
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
  readonly #accepted: ReadonlySet<string>;

  /** @throws FallbackError `invalid` KF_CP_CERTIFICATE_INVALID */
  constructor(settings: ControlPlaneSettings) {
    const certificates = certificatesOf(settings.certificate, 'certificate');
    const own = certificates[0] as X509Certificate;
    checkKey(own, settings.key);
    if (settings.mtls === 'pki') {
      if (settings.ca === undefined) throw invalid('mtls is pki, but controlPlane.ca is not set');
      certificatesOf(settings.ca, 'ca');
    }
    this.presented = settings.mtls === 'shared' ? own.toString() : settings.certificate;
    this.key = settings.key;
    this.mtls = settings.mtls;
    this.ca = settings.ca;
    this.serverName = settings.serverName;
    this.#accepted = new Set(certificates.map((certificate) => certificate.fingerprint256));
  }

  /** True for the cluster certificate itself, or one of those given behind it. */
  accepts(presented: X509Certificate): boolean {
    return this.#accepted.has(presented.fingerprint256);
  }
}

function certificatesOf(pem: string, setting: string): X509Certificate[] {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw invalid(`controlPlane.${setting} holds no PEM certificate`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw invalid(`controlPlane.${setting} cannot be read as a certificate`, cause);
  }
}

function checkKey(certificate: X509Certificate, pem: string): void {
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    // The cause is left out: what OpenSSL says about a key must not reach a log.
    throw invalid('controlPlane.key cannot be read as a private key without a passphrase');
  }
  if (!matches) throw invalid('controlPlane.key is not the key of controlPlane.certificate');
}

function invalid(message: string, cause?: unknown) {
  return controlPlaneError('KF_CP_CERTIFICATE_INVALID', message, cause);
}
