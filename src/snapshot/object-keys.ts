// Names of FORMAT.md: keys below a store's prefix (§1), payload types (§2, §6).
import { FallbackError } from '../errors/index.ts';
import type { Line } from './head.ts';

const GATEWAY_VERSION = /^\d{1,5}(\.\d{1,5}){2,3}$/;
const CLUSTER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export const HEAD_PAYLOAD_TYPE = 'application/vnd.kongfallback.head.v1+json';
export const REFUSED_PAYLOAD_TYPE = 'application/vnd.kongfallback.refused.v1+json';

/** Digits of each digest in a snapshot's key. */
const DIGEST_DIGITS = 16;

export const headKey = (gatewayVersion: string): string => `${gatewayVersion}/head.json`;

/** A key of a head's entry, which is relative to the line, as the store knows it. */
export const lineKey = (gatewayVersion: string, key: string): string => `${gatewayVersion}/${key}`;

export const snapshotKey = (documentSha256: string, sealedSha256: string): string =>
  `snapshots/${stem(documentSha256, sealedSha256)}.kfs`;

export const refusedKey = (documentSha256: string, sealedSha256: string): string =>
  `refused/${stem(documentSha256, sealedSha256)}.kfs`;

/**
 * Both names become parts of keys and paths, and lines of the context.
 *
 * @throws FallbackError `invalid` KF_LINE_INVALID
 */
export function checkLine(line: Line): void {
  if (!CLUSTER.test(line.cluster)) {
    throw new FallbackError(
      'invalid',
      'KF_LINE_INVALID',
      `cluster ${JSON.stringify(line.cluster)} is no usable name`,
      {
        hint: 'Use 1 to 128 letters, digits, dots, hyphens and underscores, beginning with a letter or digit.',
      },
    );
  }
  if (!GATEWAY_VERSION.test(line.gatewayVersion)) {
    throw new FallbackError(
      'invalid',
      'KF_LINE_INVALID',
      `gateway version ${JSON.stringify(line.gatewayVersion)} is not exact`,
      { hint: 'Give it as `kong version` prints it: 3.9.3, or 3.12.0.0 for Kong Enterprise.' },
    );
  }
}

function stem(documentSha256: string, sealedSha256: string): string {
  return `${documentSha256.slice(0, DIGEST_DIGITS)}-${sealedSha256.slice(0, DIGEST_DIGITS)}`;
}
