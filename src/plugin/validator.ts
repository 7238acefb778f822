import type { CallOptions } from './call.ts';

/**
 * Judges one configuration document. A refusal is a finding with severity `error`, not an exception: a thrown
 * error means that the validator itself failed, and then nothing is published.
 */
export interface Validator {
  validate(
    document: ConfigDocument,
    context: ValidationContext,
    options: CallOptions,
  ): Promise<readonly Finding[]>;
  /**
   * From when on a data plane would reject the document although nothing in it has changed, milliseconds since 1970;
   * undefined: never, as far as this validator can tell. Asked after `validate`; the earliest of all validators is
   * recorded with the snapshot.
   */
  loadableUntil?(document: ConfigDocument, options: CallOptions): Promise<number | undefined>;
}

export interface ConfigDocument {
  /** The document exactly as the control plane sent it (UTF-8 JSON). Not to be changed. */
  readonly bytes: Uint8Array;
  /** The same, parsed once and frozen at the top two levels. */
  readonly table: Readonly<Record<string, unknown>>;
}

export interface ValidationContext {
  readonly cluster: string;
  /** Exact gateway version that the document was made for, such as "3.9.3". */
  readonly gatewayVersion: string;
  /** True for a document that a control plane sent (also when it comes from storage), false for one from a file. */
  readonly fromControlPlane: boolean;
  /** Entities by collection of this document, ttl collections included. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the newest published snapshot held, where there is one. */
  readonly previous?: {
    readonly counts: Readonly<Record<string, number>>;
    readonly configHash: string | null;
  };
  /** Wall clock, milliseconds since 1970. */
  readonly now: number;
}

export interface Finding {
  /** Stable name of the case: "shrinkage/collection", "kong-schema/dangling-reference". */
  readonly code: string;
  /** `error` refuses the document, `warning` goes into the snapshot's metadata and the log. */
  readonly severity: 'error' | 'warning';
  /** One sentence; names entities by collection and id, never by a secret value. */
  readonly message: string;
  readonly hint?: string;
  /** Where, as collection and entity: ["services", "<id>", "host"]. */
  readonly path?: readonly string[];
  /** For `error`: `--accept-shrinkage` and the like may let it pass once. */
  readonly acceptable?: boolean;
}
