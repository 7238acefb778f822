import type { PreparedFrame } from './prepared-frame.ts';

/** What the stand-in gives to data planes of one exact gateway version, made from a restored snapshot. */
export interface Provision {
  readonly gatewayVersion: string;
  /** The control plane's own; null where the source knew none. Data planes that have it need nothing. */
  readonly configHash: string | null;
  /** Hashes of what the head lists below it: a data plane that has one of them gets the newer frame. */
  readonly olderHashes: ReadonlySet<string>;
  /** Plugins in use: a data plane that lacks one would reject the whole configuration. */
  readonly plugins: readonly string[];
  readonly sequence: number;
  readonly origin: 'storage' | 'cache';
  readonly frame: PreparedFrame;
}
