import type { FallbackError } from '../errors/index.ts';
import type { Finding } from '../plugin/validator.ts';
import type { RestoredSnapshot } from '../restore/candidate.ts';

/** Where the data plane's configuration comes from. */
export type Origin = 'control-plane' | 'storage' | 'cache' | 'node' | 'none';

/** What one bootstrap came to; printed as one line, and whole with `--json`. */
export interface BootstrapOutcome {
  readonly origin: Origin;
  /** Stable code of why it is this origin: "reachable", why the control plane is not; of `node`: "configured", or why it counts as that. */
  readonly reason: string;
  readonly message: string;
  readonly gatewayVersion: string;
  /** Of the head that was used. */
  readonly sequence: number | null;
  readonly configHash: string | null;
  readonly counts: Readonly<Record<string, number>> | null;
  /** Since the configuration was last known to be the control plane's, seconds by the store's clock. */
  readonly ageSeconds: number | null;
  readonly confirmedAt: string | null;
  /** Id of the storage it came from. */
  readonly store: string | null;
  /** The head was signed by a configured key. */
  readonly authenticated: boolean | null;
  /** What the target did: the file written. */
  readonly applied: string | null;
  /** A file of the target's that KONG_DECLARATIVE_CONFIG may name. */
  readonly declarativeConfig: string | null;
  readonly findings: readonly Finding[];
  /** GETs that it took. */
  readonly requests: { readonly heads: number; readonly snapshots: number } | null;
  /** For origin `none`: why. */
  readonly error?: FallbackError;
  /** Milliseconds by step. */
  readonly timings: Readonly<Record<string, number>>;
}

const ORIGIN_SENTENCE: Readonly<Record<Origin, string>> = {
  'control-plane': 'the control plane answers; the data plane gets its configuration from there',
  storage: 'configuration applied from storage',
  cache: 'configuration applied from the local cache',
  node: 'the node already has a configuration; nothing was changed',
  none: 'no configuration could be had',
};

export type Concluded = Partial<BootstrapOutcome> & Pick<BootstrapOutcome, 'origin' | 'reason'>;

/** What is not given is not known. */
export function outcomeOf(
  gatewayVersion: string,
  given: Concluded,
  timings: BootstrapOutcome['timings'],
): BootstrapOutcome {
  return {
    message: ORIGIN_SENTENCE[given.origin],
    gatewayVersion,
    sequence: null,
    configHash: null,
    counts: null,
    ageSeconds: null,
    confirmedAt: null,
    store: null,
    authenticated: null,
    applied: null,
    declarativeConfig: null,
    findings: [],
    requests: null,
    ...given,
    timings,
  };
}

export function factsOf(restored: RestoredSnapshot): Omit<Concluded, 'reason'> {
  const { origin, head, entry, authenticated, ageMs, storeId, requests } = restored;
  return {
    origin,
    sequence: head.sequence,
    configHash: entry.configHash,
    counts: entry.counts,
    ageSeconds: Math.round(ageMs / 1000),
    confirmedAt: head.confirmedAt,
    store: storeId,
    authenticated,
    requests,
  };
}
