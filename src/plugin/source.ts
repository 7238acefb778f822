import type { CallOptions } from './call.ts';

/**
 * Where configurations come from. Experimental: may change in a minor release.
 *
 * A session is opened per gateway version and yields every configuration that the control plane sends on it.
 */
export interface Source {
  open(options: OpenSessionOptions): Promise<SourceSession>;
  close?(): Promise<void>;
}

export interface OpenSessionOptions extends CallOptions {
  /** Exact gateway version to ask a configuration for. */
  readonly gatewayVersion: string;
  /** Names of plugins that data planes of this version were seen with, besides those that the source knows of. */
  readonly plugins?: readonly string[];
}

export interface SourceSession {
  /**
   * Configurations in the order of arrival. Ends when the peer closes; throws a classified error when it
   * refuses (`denied`), vanishes (`unavailable`) or stays silent (`unavailable`, KF_CP_SILENT).
   */
  readonly configurations: AsyncIterable<ReceivedConfiguration>;
  close(): Promise<void>;
}

export interface ReceivedConfiguration {
  /** What was received. `frame`: gzip of a reconfigure message; `document`: a bare config_table as JSON. */
  readonly form: 'frame' | 'document';
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Counts from 1 within the session. */
  readonly ordinal: number;
  /**
   * The peer's own clock at this moment by its `Date` header, milliseconds since 1970: undefined when it has no
   * usable clock (reliability.md, asOf).
   */
  readonly peerTime: number | undefined;
  /** Monotonic clock of the plugin's context at the arrival, milliseconds: the moment that `peerTime` is for. */
  readonly receivedAt: number;
  /** From a Kong control plane: its findings are warnings only. */
  readonly fromControlPlane: boolean;
}
