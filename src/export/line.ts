import type { Logger } from '../plugin/index.ts';
import type { Clock, Random } from '../resilience/index.ts';
import type { Signer } from '../snapshot/keys.ts';
import type { Sealing } from '../snapshot/sealing.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import type { Prepare } from './prepare-step.ts';

/** One exact gateway version of one cluster, and how it is exported. */
export interface LineSettings {
  readonly cluster: string;
  readonly gatewayVersion: string;
  /** This exporter's name. */
  readonly writer: string;
  /** How much newer evidence must be to replace another exporter's head, milliseconds. */
  readonly marginMs: number;
  /** A confirmation older than this is due, milliseconds. */
  readonly confirmIntervalMs: number;
  readonly keep: Keep;
  /** `any`: one store is success; `all`: every store must have it. */
  readonly successPolicy: 'any' | 'all';
  /** Bytes. */
  readonly maxSealedBytes: number;
}

/** A snapshot that any of these keeps is kept. */
export interface Keep {
  /** The newest of all. */
  readonly last: number;
  /** The newest of each of so many hours. */
  readonly hourly: number;
  /** The newest of each of so many days (UTC). */
  readonly daily: number;
}

export interface LineDependencies {
  readonly stores: readonly SnapshotStore[];
  readonly prepare: Prepare;
  readonly sealing: Sealing;
  readonly signers: readonly Signer[];
  readonly clock: Clock;
  readonly random: Random;
  /** 32 hex digits, fresh at each call. */
  readonly nonce: () => string;
  readonly log: Logger;
}
