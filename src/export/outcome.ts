import type { Finding } from '../plugin/validator.ts';
import type { StoreResult } from './publish.ts';

/** What one export of one line came to. */
export interface ExportOutcome {
  readonly gatewayVersion: string;
  /**
   * - `published`: a new configuration is in the stores
   * - `confirmed`: the stored one is still the control plane's, and the head now says so
   * - `unchanged`: the same, and no confirmation was due
   * - `refused`: a validator refused it; the former one stays, the refused one is kept aside
   * - `older`: a store holds something newer: control planes disagree
   * - `held`: a rollback is in force that rejects it
   */
  readonly outcome: 'published' | 'confirmed' | 'unchanged' | 'refused' | 'older' | 'held';
  readonly sequence: number | null;
  readonly configHash: string | null;
  readonly counts: Readonly<Record<string, number>> | null;
  /** Bytes: of the document, and of what is stored. */
  readonly documentBytes: number | null;
  readonly sealedBytes: number | null;
  /** ISO 8601. */
  readonly asOf: string | null;
  readonly stores: readonly StoreResult[];
  readonly findings: readonly Finding[];
  /** Milliseconds by step. */
  readonly timings: Readonly<Record<string, number>>;
}

/** The configuration is not in the stores, and trying again will not put it there. */
export const isRefusal = ({ outcome }: ExportOutcome): boolean =>
  outcome === 'refused' || outcome === 'older' || outcome === 'held';
