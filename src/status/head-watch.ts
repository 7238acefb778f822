import { classify, type FallbackError } from '../errors/index.ts';
import type { HeadFacts, HeadState } from '../observe/metrics-state.ts';
import type { Clock } from '../resilience/index.ts';
import type { Head, Line } from '../snapshot/head.ts';
import type { Trust } from '../snapshot/keys.ts';
import { headKey } from '../snapshot/object-keys.ts';
import { openSignedHead } from '../snapshot/signed-head.ts';
import type { LineStore } from '../snapshot/snapshot-store.ts';

interface Seen {
  readonly bytes: Uint8Array | undefined;
}

interface Verified {
  readonly head: Head;
  readonly authenticated: boolean;
  readonly bytes: Uint8Array;
}

/**
 * The head of one line in one store, as it passes by on its way to or from the store: no request of its own. It is
 * verified when somebody asks, once for the same bytes.
 */
export class HeadWatch {
  readonly storeId: string;
  readonly #line: Line;
  readonly #trust: Trust;
  readonly #clock: Clock;
  #seen: Seen | undefined;
  /** The store's clock less ours, as its last answer that told the time has it. */
  #offsetMs: number | null = null;
  #failure: FallbackError | undefined;
  #verified: Verified | undefined;
  #refusal: { readonly bytes: Uint8Array; readonly error: FallbackError } | undefined;

  constructor(storeId: string, line: Line, trust: Trust, clock: Clock) {
    this.storeId = storeId;
    this.#line = line;
    this.#trust = trust;
    this.#clock = clock;
  }

  /** @param bytes undefined: there is none */
  saw(bytes: Uint8Array | undefined, serverTime: Date | undefined): void {
    this.#failure = undefined;
    this.#seen = { bytes };
    if (serverTime !== undefined) this.#offsetMs = serverTime.getTime() - this.#clock.now();
  }

  failed(thrown: unknown): void {
    const error = classify(thrown, this.#where());
    if (error.kind !== 'aborted') this.#failure = error;
  }

  state(): HeadState {
    this.#verify();
    const bytes = this.#seen?.bytes;
    const refusal = this.#refusal?.bytes === bytes ? this.#refusal?.error : undefined;
    const error = this.#failure ?? refusal;
    const head = this.#verified === undefined ? null : this.#facts(this.#verified);
    return {
      store: this.storeId,
      state: this.#stateName(refusal),
      error: error === undefined ? null : shown(error),
      head: this.#failure === undefined && this.#seen !== undefined && bytes === undefined ? null : head,
    };
  }

  #stateName(refusal: FallbackError | undefined): HeadState['state'] {
    if (this.#failure !== undefined) return 'unreadable';
    if (this.#seen === undefined) return 'unknown';
    if (this.#seen.bytes === undefined) return 'missing';
    return refusal === undefined ? 'verified' : 'refused';
  }

  #verify(): void {
    const bytes = this.#seen?.bytes;
    if (bytes === undefined || bytes === this.#refusal?.bytes || bytes === this.#verified?.bytes) return;
    try {
      this.#verified = { ...openSignedHead(bytes, this.#line, this.#trust, this.#where()), bytes };
    } catch (thrown) {
      this.#refusal = { bytes, error: classify(thrown, this.#where()) };
    }
  }

  #facts({ head, authenticated }: Verified): HeadFacts {
    const storeNow = this.#clock.now() + (this.#offsetMs ?? 0);
    const current = head.entries[0];
    if (current === undefined) throw new TypeError('a decoded head has at least one entry');
    const { hold } = head;
    return {
      sequence: head.sequence,
      authenticated,
      writer: head.writer,
      nonce: head.nonce,
      aliveAgeMs: Math.max(0, storeNow - Date.parse(head.aliveAt)),
      confirmedAgeMs: Math.max(0, storeNow - Date.parse(head.confirmedAt)),
      controlPlane: head.controlPlane,
      snapshots: head.entries.length,
      current: {
        documentSha256: current.document.sha256,
        configHash: current.configHash,
        documentBytes: current.document.length,
        exportedAt: current.exportedAt,
        counts: current.counts,
        loadableUntil: current.loadableUntil,
      },
      hold: hold && { by: hold.by, reason: hold.reason, since: hold.since, until: hold.until },
      clockOffsetMs: this.#offsetMs,
    };
  }

  #where(): string {
    return `storage ${this.storeId}: ${headKey(this.#line.gatewayVersion)}`;
  }
}

/** The same store, whose head is seen by `watch` whenever it is read or written. */
export function watched(store: LineStore, gatewayVersion: string, watch: HeadWatch): LineStore {
  const key = headKey(gatewayVersion);
  return {
    id: store.id,
    read: async (name, options) => {
      if (name !== key) return store.read(name, options);
      try {
        const found = await store.read(name, options);
        if (found !== 'not-modified') watch.saw(found?.bytes, found?.serverTime);
        return found;
      } catch (thrown) {
        watch.failed(thrown);
        throw thrown;
      }
    },
    put: async (name, body, options) => {
      const written = await store.put(name, body, options);
      if (name === key) watch.saw(body, written.serverTime);
      return written;
    },
    stream: (name, options) => store.stream(name, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (name, options) => store.delete(name, options),
  };
}

const shown = ({ code, message, hint }: FallbackError): NonNullable<HeadState['error']> => ({
  code,
  message,
  ...(hint !== undefined && { hint }),
});
