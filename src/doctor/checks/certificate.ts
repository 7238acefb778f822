import { X509Certificate } from 'node:crypto';
import type { Observation } from '../observation.ts';

export interface CertificateToCheck {
  /** What the settings call it. */
  readonly setting: string;
  /** PEM; the first certificate counts. */
  readonly pem: string;
  /** A common name that it must carry. */
  readonly commonName?: string;
}

const DAY_MS = 86_400_000;
/** A month to renew what a whole fleet holds. */
const SOON_DAYS = 30;

/** @param now milliseconds since 1970 */
export function certificate({ commonName, pem, setting }: CertificateToCheck, now: number): Observation[] {
  const read = new X509Certificate(pem);
  const name = /^CN=(.*)$/m.exec(read.subject)?.[1];
  const found = validity(setting, read, now);
  if (commonName === undefined || name === commonName) return found;
  return [
    ...found,
    {
      severity: 'warning',
      code: 'certificate-name',
      message: `${setting} is for ${JSON.stringify(name ?? 'nobody')}, and with mtls shared data planes ask for ${commonName}`,
      hint: 'Is it the cluster certificate? `kong hybrid gen_cert` makes one with that name; with certificates of a CA set controlPlane.mtls to pki.',
    },
  ];
}

function validity(setting: string, { validFrom, validTo }: X509Certificate, now: number): Observation[] {
  const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
  if (Date.parse(validTo) <= now) {
    return [
      {
        severity: 'error',
        code: 'certificate-expired',
        message: `${setting} has expired on ${validTo}`,
        hint: 'Renew it on the control plane and everywhere else it is held; until then no session is opened.',
      },
    ];
  }
  if (Date.parse(validFrom) > now) {
    return [
      {
        severity: 'error',
        code: 'certificate-not-yet-valid',
        message: `${setting} is valid from ${validFrom} on`,
        hint: 'Is the clock of this machine right? Else wait, or give the former certificate.',
      },
    ];
  }
  if (days < SOON_DAYS) {
    return [
      {
        severity: 'warning',
        code: 'certificate-expires',
        message: `${setting} expires in ${days} days, on ${validTo}`,
        hint: 'Renew it; while certificates are exchanged controlPlane.certificate may hold the new one and behind it the old one.',
      },
    ];
  }
  return [{ severity: 'ok', code: 'certificate-valid', message: `${setting} is valid for ${days} days` }];
}
