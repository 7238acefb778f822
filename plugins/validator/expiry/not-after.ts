import { X509Certificate } from 'node:crypto';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';
/** The largest real ones, with hundreds of names, have about 20 KiB. */
const LONGEST_CERTIFICATE = 64 * 1024;
/** As many as a bundle may hold; the well-known CAs together are about 150. */
const MOST_IN_A_BUNDLE = 256;

export const looksLikePem = (text: string): boolean => text.includes(BEGIN);

/** PEM blocks of certificates in a text. */
export function certificatesIn(text: string): readonly string[] {
  const found: string[] = [];
  for (let from = text.indexOf(BEGIN); from >= 0; from = text.indexOf(BEGIN, from + BEGIN.length)) {
    if (found.length === MOST_IN_A_BUNDLE) break;
    const end = text.indexOf(END, from);
    found.push(end < 0 ? text.slice(from) : text.slice(from, end + END.length));
    if (end < 0) break;
    from = end;
  }
  return found;
}

/** Milliseconds since 1970; undefined where it is no certificate that OpenSSL reads. */
export function notAfterOf(pem: string): number | undefined {
  if (pem.length > LONGEST_CERTIFICATE) return undefined;
  try {
    const notAfter = Date.parse(new X509Certificate(pem).validTo);
    return Number.isFinite(notAfter) ? notAfter : undefined;
  } catch {
    return undefined;
  }
}
