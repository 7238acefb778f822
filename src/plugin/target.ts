import type { ByteStream, CallOptions } from './call.ts';

/** What is done with a restored document. Experimental: may change in a minor release. */
export interface Target {
  /**
   * Makes the data plane use this document. All or nothing: when it rejects, what was there before is still
   * there. The stream may throw half-way (corrupt bytes); then nothing may be applied.
   */
  apply(document: RestoredDocument, options: CallOptions): Promise<AppliedDocument>;
  close?(): Promise<void>;
}

export interface RestoredDocument {
  readonly body: ByteStream;
  /** Bytes of the document. */
  readonly length: number;
  readonly sha256: string;
  readonly gatewayVersion: string;
  readonly configHash: string | null;
}

export interface AppliedDocument {
  /** For the outcome line: the path written, the URL loaded. */
  readonly where: string;
  /**
   * Absolute path of a file that KONG_DECLARATIVE_CONFIG of a gateway may name, which is then started with it. Missing:
   * the data plane has the document in another way.
   */
  readonly declarativeConfig?: string;
}
