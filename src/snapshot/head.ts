// The head and its entries as FORMAT.md §3 describes them; head-codec.ts turns them into bytes and back. Times stay
// the text that is stored, ISO 8601 in UTC with milliseconds: they compare, copy and cross threads as they are.

/** The sequence of snapshots of one exact gateway version in one cluster. */
export interface Line {
  readonly cluster: string;
  readonly gatewayVersion: string;
}

export interface Head extends Line {
  readonly format: 'kongfallback-head/1';
  /** Hybrid logical clock: grows with every write, also on a rollback. */
  readonly sequence: number;
  readonly writer: string;
  /** 32 hex digits, fresh for each write. */
  readonly nonce: string;
  readonly aliveAt: string;
  readonly confirmedAt: string;
  readonly controlPlane: ControlPlaneState;
  readonly hold: Hold | null;
  /** The current snapshot first, the others newest first; never empty. */
  readonly entries: readonly SnapshotEntry[];
  readonly delisted: readonly DelistedKey[];
}

export interface ControlPlaneState {
  readonly state: 'up' | 'down';
  readonly since: string;
}

/** What tells one configuration from another. */
export interface Content {
  readonly configHash: string | null;
  /** Bytes. */
  readonly documentLength: number;
  /** Of the document; 64 hex. */
  readonly documentSha256: string;
}

/** A rollback in force (FORMAT.md §3.2). */
export interface Hold {
  /** SHA-256 of the document that is held, hex. */
  readonly target: string;
  readonly rejected: readonly Content[];
  readonly by: string;
  readonly reason: string;
  readonly since: string;
  readonly until: string | null;
}

export interface DelistedKey {
  readonly key: string;
  readonly since: string;
}

export interface SnapshotEntry {
  /** The head's sequence when this became current. */
  readonly sequence: number;
  /** Below the line: `snapshots/<d>-<s>.kfs`. */
  readonly key: string;
  readonly sealed: SealedDescription;
  /** Bytes and SHA-256 (hex) of the document; the compression that was applied before sealing. */
  readonly document: { readonly sha256: string; readonly length: number; readonly compression: string };
  readonly configHash: string | null;
  readonly hashes: Readonly<Record<string, string>> | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly plugins: readonly string[];
  /** Since when this is known to be what the control plane holds. */
  readonly asOf: string;
  readonly exportedAt: string;
  readonly writer: string;
  readonly controlPlaneVersion: string | null;
  /** From then on a data plane rejects the document. */
  readonly loadableUntil: string | null;
  readonly findings: readonly RecordedFinding[];
  readonly accepted: AcceptedRefusals | null;
}

export interface SealedDescription {
  readonly sha256: string;
  readonly length: number;
  /** `envelope`, or the name of an encryption plugin with a format of its own. */
  readonly encryption: string;
}

export interface RecordedFinding {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

export interface AcceptedRefusals {
  readonly codes: readonly string[];
  readonly reason: string;
  readonly by: string;
}
