import { classify, type FallbackError } from '../errors/index.ts';
import type { Finding } from '../plugin/index.ts';
import type { Head, SnapshotEntry } from '../snapshot/head.ts';

export interface RestoredFacts {
  readonly origin: 'storage' | 'cache';
  /** Whose head it is; null for the cache. */
  readonly storeId: string | null;
  readonly head: Head;
  readonly entry: SnapshotEntry;
  /** A trusted key signed the head: what it names may be applied as it is. */
  readonly authenticated: boolean;
  /** Since the configuration was last known to be the control plane's, milliseconds by the store's clock. */
  readonly ageMs: number;
  readonly timings: { readonly resolveMs: number; readonly fetchMs: number };
  /** GETs so far: of heads, and of snapshots. */
  readonly requests: { readonly heads: number; readonly snapshots: number };
  readonly findings: readonly Finding[];
}

/** Read the document, apply it, then `remember`; or `refuse` it and ask for the next. */
export interface RestoredSnapshot extends RestoredFacts {
  /**
   * The document's own bytes, checked to the end: it throws before the last piece when anything is wrong. May be
   * called again.
   */
  open(options: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array>;
  /** The error that reading it ended with; undefined: reading is not what went wrong. */
  readonly streamError: FallbackError | undefined;
  /** Says why it was not used, where `open` did not fail itself: `corrupt` or `unsupported` lead to an older one. */
  refuse(error: unknown): void;
  /** After it was applied: the node starts from it next time, without storage. Never throws. */
  remember(): Promise<readonly Finding[]>;
}

export interface CandidateParts {
  readonly read: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly remember: () => Promise<readonly Finding[]>;
}

export class Candidate implements RestoredSnapshot {
  readonly origin: RestoredFacts['origin'];
  readonly storeId: string | null;
  readonly head: Head;
  readonly entry: SnapshotEntry;
  readonly authenticated: boolean;
  readonly ageMs: number;
  readonly timings: RestoredFacts['timings'];
  readonly requests: RestoredFacts['requests'];
  readonly findings: readonly Finding[];
  readonly #parts: CandidateParts;
  #streamError: FallbackError | undefined;
  #refusal: FallbackError | undefined;

  constructor(facts: RestoredFacts, parts: CandidateParts) {
    this.origin = facts.origin;
    this.storeId = facts.storeId;
    this.head = facts.head;
    this.entry = facts.entry;
    this.authenticated = facts.authenticated;
    this.ageMs = facts.ageMs;
    this.timings = facts.timings;
    this.requests = facts.requests;
    this.findings = facts.findings;
    this.#parts = parts;
  }

  get streamError(): FallbackError | undefined {
    return this.#streamError;
  }

  /** Why the next candidate is asked for. */
  get failure(): FallbackError | undefined {
    return this.#streamError ?? this.#refusal;
  }

  async *open({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#parts.read(signal);
    } catch (thrown) {
      const error = classify(thrown, `snapshot ${this.entry.key}`);
      // Whoever stopped reading knows why, also when the reason is a deadline: the snapshot is not at fault.
      if (!signal.aborted) this.#streamError = error;
      throw error;
    }
  }

  refuse(error: unknown): void {
    this.#refusal = classify(error, `snapshot ${this.entry.key}`);
  }

  remember(): Promise<readonly Finding[]> {
    return this.#parts.remember();
  }
}
