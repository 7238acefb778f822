import { FallbackError } from '../errors/index.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { type HistoryLine, historyLine } from '../status/history.ts';
import { newestHead, readHeads, type StoreHead } from '../status/read-heads.ts';
import { lineVersions } from './line-versions.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/** For each store, all tries together. */
const DEADLINE_MS = 15_000;

/**
 * What the heads list, by one GetObject for each.
 *
 * @param chosen undefined: every gateway version that the settings name
 * @throws FallbackError `invalid` for settings that cannot work; the signal's abort
 */
export async function readHistory(
  get: Get,
  chosen: string | undefined,
  signal: AbortSignal,
): Promise<readonly HistoryLine[]> {
  const versions = chosen === undefined ? lineVersions(get) : [chosen];
  const now = get(Part.clock).now();
  return Promise.all(
    versions.map(async (version) => historyLine(version, await readLineHeads(get, version, signal), now)),
  );
}

/** @throws FallbackError `invalid` KF_LINE_INVALID; the signal's abort */
export async function readLineHeads(
  get: Get,
  gatewayVersion: string,
  signal: AbortSignal,
): Promise<readonly StoreHead[]> {
  const { cluster } = get(Part.settings).settings;
  const [clock, trust, guarded] = [get(Part.clock), get(Part.trust), await get(Part.stores)];
  const stores = guarded.map((store) => new SnapshotStore(store, { cluster, gatewayVersion, trust }));
  return readHeads(stores, { gatewayVersion, clock, deadlineMs: DEADLINE_MS, signal });
}

/**
 * The head that a new data plane would take.
 *
 * @throws FallbackError the first store's error where none has one
 */
export async function readNewestHead(
  get: Get,
  gatewayVersion: string,
  signal: AbortSignal,
): Promise<NonNullable<ReturnType<typeof newestHead>>> {
  const heads = await readLineHeads(get, gatewayVersion, signal);
  const best = newestHead(heads);
  if (best !== undefined) return best;
  throw heads.find(({ error }) => error !== undefined)?.error ?? new TypeError('there is at least one store');
}

/** @throws FallbackError `invalid` KF_USAGE, KF_NO_GATEWAY_VERSION */
export function chosenVersion(get: Get, chosen: string | undefined): string {
  if (chosen !== undefined) return chosen;
  const [only, ...others] = lineVersions(get);
  if (only !== undefined && others.length === 0) return only;
  throw new FallbackError(
    'invalid',
    'KF_USAGE',
    `which gateway version? There are ${[only, ...others].join(', ')}`,
    { hint: 'Give --gateway-version.' },
  );
}
