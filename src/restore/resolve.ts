// Step 1 of 3: all stores → the newest head that verifies.
import { FallbackError } from '../errors/index.ts';
import type { Clock, Finding } from '../plugin/index.ts';
import { withDeadline } from '../resilience/index.ts';
import { headKey } from '../snapshot/object-keys.ts';
import type { HeadReading, SnapshotStore } from '../snapshot/snapshot-store.ts';
import { failure, type RestoreFailure } from './failure.ts';

export interface ResolveOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly gatewayVersion: string;
  /** Milliseconds for each store's answer, all tries together. */
  readonly deadlineMs: number;
  /** A head that an exporter wrote this recently ends the wait for slower stores; milliseconds. */
  readonly recentMs: number;
  /** How long the others may still answer after such a head; milliseconds, default 500. */
  readonly graceMs?: number;
  /** The highest sequence seen on this node. */
  readonly ratchet: number | undefined;
  /** The operator's own floor, for nodes that have seen none. */
  readonly minimumSequence: number | undefined;
}

export interface ResolvedHead extends HeadReading {
  readonly storeId: string;
}

export interface Resolution {
  readonly best: ResolvedHead | undefined;
  readonly failures: readonly RestoreFailure[];
  readonly findings: readonly Finding[];
}

/**
 * A store that lags behind may answer first, and its head is recent too when another store was away from the exporter
 * for minutes only. Half a second is ten answers of a store in the same region, and nothing in a node's start.
 */
const GRACE_MS = 500;

/** @throws FallbackError only when the signal fires */
export async function resolveHeads(
  stores: readonly SnapshotStore[],
  options: ResolveOptions,
): Promise<Resolution> {
  const heads: ResolvedHead[] = [];
  const failures: RestoreFailure[] = [];
  const enough = new AbortController();
  const complete = new AbortController();
  const signal = AbortSignal.any([options.signal, enough.signal]);
  let isEnding = false;
  const endSoon = () => {
    if (isEnding) return;
    isEnding = true;
    options.clock.sleep(options.graceMs ?? GRACE_MS, complete.signal).then(
      () => enough.abort(),
      () => {},
    );
  };
  await Promise.all(
    stores.map(async (store) => {
      try {
        const head = await readHead(store, { ...options, signal });
        heads.push(head);
        if (isRecent(head, options)) endSoon();
      } catch (thrown) {
        if (enough.signal.aborted && !options.signal.aborted) return;
        failures.push(failure('storage', store.id, headKey(options.gatewayVersion), thrown));
      }
    }),
  ).finally(() => complete.abort());
  const [best] = heads.sort(newestFirst);
  return { best, failures, findings: best === undefined ? [] : disagreements(heads, best) };
}

async function readHead(store: SnapshotStore, options: ResolveOptions): Promise<ResolvedHead> {
  const { clock, deadlineMs, gatewayVersion, signal } = options;
  const where = `storage ${store.id}: ${headKey(gatewayVersion)}`;
  const reading = await withDeadline(clock, deadlineMs, signal, where, (inner) =>
    store.readHead({ signal: inner }),
  );
  if (reading === undefined) {
    throw new FallbackError('unavailable', 'KF_HEAD_MISSING', `${where}: there is no head`, {
      hint: "Nothing was exported for this gateway version, or `bucket`, `path` or `prefix` is another one than the exporter's.",
    });
  }
  const floor = Math.max(options.ratchet ?? 0, options.minimumSequence ?? 0);
  if (reading.head.sequence < floor) throw rolledBack(where, reading.head.sequence, options);
  return { ...reading, storeId: store.id };
}

function rolledBack(where: string, sequence: number, options: ResolveOptions): FallbackError {
  const { minimumSequence = 0, ratchet = 0 } = options;
  const why =
    ratchet >= minimumSequence ? `this node has seen ${ratchet}` : `minimumSequence is ${minimumSequence}`;
  return new FallbackError('corrupt', 'KF_HEAD_ROLLED_BACK', `${where}: sequence ${sequence}, while ${why}`, {
    hint: 'The storage was set back to an older state. If that was on purpose, let the exporter publish once, or run `kongfallback trust --reset-sequence` here.',
  });
}

function isRecent({ head, serverTime }: ResolvedHead, { clock, recentMs }: ResolveOptions): boolean {
  const now = serverTime?.getTime() ?? clock.now();
  return Math.abs(now - Date.parse(head.aliveAt)) <= recentMs;
}

/** The same sequence twice: the younger evidence, then the bytes, so that every reader takes the same one. */
function newestFirst(a: ResolvedHead, b: ResolvedHead): number {
  return (
    b.head.sequence - a.head.sequence ||
    compare(b.head.entries[0]?.asOf ?? '', a.head.entries[0]?.asOf ?? '') ||
    Buffer.compare(b.bytes, a.bytes)
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function disagreements(heads: readonly ResolvedHead[], best: ResolvedHead): Finding[] {
  if (heads.every(({ bytes }) => Buffer.compare(bytes, best.bytes) === 0)) return [];
  const list = heads.map(({ storeId, head }) => `${storeId} ${head.sequence}`).join(', ');
  return [
    {
      code: 'restore/stores-disagree',
      severity: 'warning',
      message: `the stores hold different heads, of sequence ${list}; ${best.storeId} is used`,
      hint: 'The exporter levels them when it reaches all stores; look at its log if this stays.',
    },
  ];
}
