import type { SecureContext, TLSSocket } from 'node:tls';
import type { FallbackError } from '../errors/index.ts';

/** Who the stand-in is towards data planes, and whom it serves. Replaced whole when a certificate file changes. */
export interface Identity {
  readonly secureContext: SecureContext;
  /**
   * Judges a data plane once TLS stands.
   *
   * @param now milliseconds since 1970
   * @returns what is wrong, or undefined
   */
  check(socket: TLSSocket, now: number): FallbackError | undefined;
}
