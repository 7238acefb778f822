import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FallbackError } from '../errors/index.ts';
import { writeFileAtomically } from '../restore/atomic-file.ts';
import { SnapshotCache } from '../restore/cache.ts';
import { sequenceNow, type TrustLine, trustLine } from '../status/trust.ts';
import { readLineHeads } from './history.ts';
import { lineVersions } from './line-versions.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

export interface ReadTrust extends TrustLine {
  /** Of the cache, where what was seen is kept. */
  readonly directory: string;
  /** After a reset; null: there is none any more. Undefined: nothing was reset. */
  readonly resetTo?: number | null;
}

export interface TrustRun {
  /** Undefined: every gateway version that the settings name. */
  readonly gatewayVersion: string | undefined;
  readonly reset: boolean;
  readonly signal: AbortSignal;
}

/**
 * What this node has seen, against what the storages hold; and its reset to what they hold now.
 *
 * @throws FallbackError `invalid` for settings that cannot work; `unavailable` KF_TRUST_UNWRITABLE; the signal's abort
 */
export async function readTrust(
  get: Get,
  { gatewayVersion, reset, signal }: TrustRun,
): Promise<readonly ReadTrust[]> {
  const { cluster, bootstrap } = get(Part.settings).settings;
  const { cacheDirectory, minimumSequence } = bootstrap;
  const lines: ReadTrust[] = [];
  for (const version of gatewayVersion === undefined ? lineVersions(get) : [gatewayVersion]) {
    const cache = new SnapshotCache(cacheDirectory, { cluster, gatewayVersion: version }, get(Part.clock));
    const heads = await readLineHeads(get, version, signal);
    const ratchet = await cache.readRatchet();
    const line = { ...trustLine(version, heads, { ratchet, minimumSequence }), directory: cache.directory };
    const unreadable = cache.findings.length > 0;
    if (!reset || (ratchet === undefined && !unreadable)) lines.push(line);
    else lines.push({ ...line, resetTo: await resetRatchet(cache.directory, sequenceNow(heads)) });
  }
  return lines;
}

/** To the newest head that verifies now, so that what is older than that stays refused. */
async function resetRatchet(directory: string, sequence: number | undefined): Promise<number | null> {
  const path = join(directory, 'ratchet.json');
  try {
    if (sequence === undefined) await rm(path, { force: true });
    else await writeFileAtomically(path, [Buffer.from(JSON.stringify({ sequence }))]);
    return sequence ?? null;
  } catch (cause) {
    throw new FallbackError(
      'unavailable',
      'KF_TRUST_UNWRITABLE',
      `cannot write ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, hint: 'Run it as the user that the bootstrap runs as.' },
    );
  }
}
