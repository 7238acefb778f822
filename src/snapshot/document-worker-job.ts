import type { ErrorKind } from '../errors/index.ts';
import type { Finding } from '../plugin/index.ts';

/** One document to be read in a worker thread. */
export interface DocumentJob {
  /** `frame`: gzip of a reconfigure message; `document`: a bare config_table as JSON. */
  readonly form: 'frame' | 'document';
  /** Moved into the worker: the caller cannot use it afterwards. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fromControlPlane: boolean;
  readonly cluster: string;
  readonly gatewayVersion: string;
  /** The newest published snapshot, where there is one. */
  readonly previous?: {
    readonly counts: Readonly<Record<string, number>>;
    readonly configHash: string | null;
  };
  /** Wall clock, milliseconds since 1970. */
  readonly now: number;
  /** Refuse more than this, inflated. */
  readonly maxDocumentBytes: number;
  /** False where only the findings are wanted: an unauthenticated snapshot before it is applied. */
  readonly compress: boolean;
}

/** What is known of a document after its only parse. */
export interface PreparedDocument {
  /** gzip of the document's own bytes; null when the job did not ask for it. */
  readonly compressed: Uint8Array<ArrayBuffer> | null;
  /** Of the document's own bytes, 64 hex digits. */
  readonly sha256: string;
  /** Bytes of the document. */
  readonly length: number;
  readonly configHash: string | null;
  readonly hashes: Readonly<Record<string, string>> | null;
  /** The frame's own, seconds since 1970 by the control plane's clock. */
  readonly timestamp: number | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly plugins: readonly string[];
  /** Holds nothing but workspaces and parameters. */
  readonly empty: boolean;
  readonly loadableUntil: string | null;
  /** Errors first; at most 200. */
  readonly findings: readonly Finding[];
  readonly timings: PrepareTimings;
}

/** Milliseconds by a clock that only grows. */
export interface PrepareTimings {
  /** 0 where a step does not tell inflating and parsing apart: `parseMs` then holds both. */
  readonly inflateMs: number;
  readonly parseMs: number;
  readonly validateMs: number;
  /** The digest and gzip. */
  readonly compressMs: number;
}

/** How a worker finds a validator; its settings are already checked. */
export interface ValidatorReference {
  /** What the settings name it as; the built-in of this name when `url` is null. */
  readonly use: string;
  readonly id: string;
  /** Module of a foreign plugin. */
  readonly url: string | null;
  readonly settings: unknown;
}

/** `workerData` of the entry. */
export interface DocumentWorkerData {
  readonly validators: readonly ValidatorReference[];
  readonly cluster: string;
  /** Folder that relative paths in a validator's settings are relative to. */
  readonly baseDirectory: string;
}

/** From the worker to the main thread. The last one is `prepared` or `failed`. */
export type DocumentWorkerMessage =
  | { readonly type: 'prepared'; readonly document: PreparedDocument }
  | { readonly type: 'failed'; readonly error: PlainError }
  | {
      readonly type: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly message: string;
    };

/** An error as it crosses the border: no class, no stack, no cause. */
export interface PlainError {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}
