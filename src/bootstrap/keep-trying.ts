// After a first pass that found nothing: storage again and again, the control plane beside it, until one of them gives.
import type { Clock, Random } from '../resilience/index.ts';
import { Backoff } from '../resilience/index.ts';
import type { BootstrapOutcome } from './outcome.ts';

export interface KeepTrying {
  /** One attempt; `none` says that there is nothing yet. */
  readonly snapshots: (signal: AbortSignal) => Promise<BootstrapOutcome>;
  /** undefined: not there yet. */
  readonly probe: ((signal: AbortSignal) => Promise<BootstrapOutcome | undefined>) | undefined;
  /** No attempt begins after this monotonic time. */
  readonly endsAt: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** A store that is back is found soon, and a fleet of thousands that waits for it asks some hundred times a second. */
const SNAPSHOT_PAUSE_MS = { first: 1000, longest: 5000 };
/** What a store may ask for itself (Retry-After). */
const LONGEST_ASKED_MS = 15_000;
/** As a data plane does: it dials again after 5 to 10 s. */
const PROBE_PAUSE_MS = 5000;

/** @throws FallbackError `aborted`, and what an attempt throws */
export async function keepTrying(first: BootstrapOutcome, options: KeepTrying): Promise<BootstrapOutcome> {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const snapshots = untilApplied(first, options, signal);
  const { probe } = options;
  const controlPlane = probe && untilReachable(probe, options, signal);
  try {
    const given = await Promise.race(controlPlane === undefined ? [snapshots] : [snapshots, controlPlane]);
    if (given.origin !== 'control-plane') return given;
    over.abort();
    // A snapshot that was applied in this very moment is what the node has; the control plane replaces it.
    return await snapshots.then(
      (outcome) => (outcome.origin === 'none' ? given : outcome),
      () => given,
    );
  } finally {
    over.abort();
    await Promise.allSettled([snapshots, controlPlane]);
  }
}

async function untilApplied(
  first: BootstrapOutcome,
  { snapshots, endsAt, clock, random }: KeepTrying,
  signal: AbortSignal,
): Promise<BootstrapOutcome> {
  const backoff = new Backoff(SNAPSHOT_PAUSE_MS.first, SNAPSHOT_PAUSE_MS.longest, random);
  for (let last = first; ; ) {
    const asked = Math.min(last.error?.retryAfterMs ?? 0, LONGEST_ASKED_MS);
    const pauseMs = Math.max(asked, backoff.next());
    if (clock.monotonic() + pauseMs > endsAt) return last;
    await clock.sleep(pauseMs, signal);
    last = await snapshots(signal);
    if (last.origin !== 'none') return last;
  }
}

async function untilReachable(
  probe: NonNullable<KeepTrying['probe']>,
  { clock, random }: KeepTrying,
  signal: AbortSignal,
): Promise<BootstrapOutcome> {
  for (;;) {
    await clock.sleep(PROBE_PAUSE_MS * (1 + random()), signal);
    const reachable = await probe(signal);
    if (reachable !== undefined) return reachable;
  }
}
