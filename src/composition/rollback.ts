import { FallbackError, kindOf } from '../errors/index.ts';
import type { LinePipeline } from '../export/pipeline.ts';
import type { StoreResult } from '../export/publish.ts';
import { planLineRollback, resumeLine, writeRollback } from '../export/rollback.ts';
import type { RollbackOrder } from '../export/rollback-plan.ts';
import type { Hold, SnapshotEntry } from '../snapshot/head.ts';
import { createLines } from './export-lines.ts';
import { openSnapshot } from './open-snapshot.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

const ENVELOPE = 'envelope';

/** What became of one line. */
export interface RolledBackLine {
  readonly gatewayVersion: string;
  readonly outcome: 'rolled-back' | 'planned' | 'resumed' | 'not-held' | 'failed';
  /** Of the head that was written. */
  readonly sequence: number | null;
  readonly from: SnapshotEntry | null;
  readonly target: SnapshotEntry | null;
  readonly hold: Hold | null;
  /** Whether the target was opened, or only found whole: an exporter need not hold a key that opens. */
  readonly checked: 'opened' | 'sealed' | null;
  readonly stores: readonly StoreResult[];
  /** Of a line that failed while others were written. */
  readonly error?: unknown;
}

export interface RollbackRun {
  /** Undefined: the only one that the settings name. */
  readonly gatewayVersions: readonly string[] | 'all' | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/**
 * Plans and checks every line before the first one is written.
 *
 * @throws FallbackError `invalid` KF_USAGE, KF_ROLLBACK_NOT_SIGNED and what planning a line throws; what opening a
 *   snapshot throws. Then nothing is written.
 */
export async function runRollback(
  get: Get,
  order: RollbackOrder,
  { gatewayVersions, dryRun, signal }: RollbackRun,
): Promise<readonly RolledBackLine[]> {
  const planned = [];
  for (const line of await chosenLines(get, gatewayVersions, signal)) {
    const plan = await planLineRollback(line, order, signal);
    planned.push({ plan, checked: await check(get, line, plan.plan.target, signal) });
  }
  const results: RolledBackLine[] = [];
  for (const { plan, checked } of planned) {
    const { line, plan: what } = plan;
    const facts = { gatewayVersion: line.settings.gatewayVersion, ...what, checked };
    if (dryRun) {
      results.push({ ...facts, outcome: 'planned', sequence: null, stores: [] });
      continue;
    }
    try {
      const written = await writeRollback(plan, { clock: get(Part.clock), signal });
      results.push({ ...facts, outcome: 'rolled-back', ...written });
    } catch (error) {
      if (signal.aborted) throw error;
      results.push({ ...facts, outcome: 'failed', sequence: null, stores: [], error });
    }
  }
  return results;
}

/** @throws FallbackError `invalid` KF_USAGE, KF_ROLLBACK_NOT_SIGNED, KF_ROLLBACK_NOTHING_HELD; what writing throws */
export async function runResume(
  get: Get,
  { gatewayVersions, signal }: Omit<RollbackRun, 'dryRun'>,
): Promise<readonly RolledBackLine[]> {
  const results: RolledBackLine[] = [];
  for (const line of await chosenLines(get, gatewayVersions, signal)) {
    const resumed = await resumeLine(line, { clock: get(Part.clock), signal });
    results.push({
      gatewayVersion: line.settings.gatewayVersion,
      outcome: resumed === undefined ? 'not-held' : 'resumed',
      sequence: resumed?.written.sequence ?? null,
      from: null,
      target: null,
      hold: resumed?.hold ?? null,
      checked: null,
      stores: resumed?.written.stores ?? [],
    });
  }
  if (results.every(({ outcome }) => outcome === 'not-held')) throw nothingHeld();
  return results;
}

async function chosenLines(
  get: Get,
  chosen: RollbackRun['gatewayVersions'],
  signal: AbortSignal,
): Promise<readonly LinePipeline[]> {
  checkSigner(get);
  const { gatewayVersions: known } = get(Part.settings).settings;
  const wanted = chosen === 'all' ? known : (chosen ?? known);
  if (chosen === undefined && known.length > 1) {
    throw new FallbackError('invalid', 'KF_USAGE', `which gateway version? There are ${known.join(', ')}`, {
      hint: 'Give --gateway-version, once for each, or --all-versions.',
    });
  }
  const unknown = wanted.filter((version) => !known.includes(version));
  if (unknown.length > 0) {
    throw new FallbackError(
      'invalid',
      'KF_USAGE',
      `the settings do not name gateway version ${unknown.join(', ')}, only ${known.join(', ')}`,
      { hint: 'gatewayVersions in the settings lists what is exported.' },
    );
  }
  const lines = await createLines(get, signal);
  return lines.filter(({ settings }) => wanted.includes(settings.gatewayVersion));
}

/** A head that no reader believes would be worse than none. */
function checkSigner(get: Get): void {
  const trust = get(Part.trust);
  const trusted = get(Part.signers).some(({ keyId }) => trust.has(keyId));
  if (trust.keyIds.length === 0 || trusted) return;
  throw new FallbackError(
    'invalid',
    'KF_ROLLBACK_NOT_SIGNED',
    'signing.privateKey is missing here, or is none of signing.publicKeys: readers would refuse what this writes',
    { hint: "Run it with the exporter's settings and keys, such as on the backup node." },
  );
}

async function check(
  get: Get,
  { settings: { cluster, gatewayVersion } }: LinePipeline,
  entry: SnapshotEntry,
  signal: AbortSignal,
): Promise<'opened' | 'sealed'> {
  const authenticated = get(Part.trust).keyIds.length > 0;
  try {
    for await (const _ of openSnapshot(
      get,
      { line: { cluster, gatewayVersion }, entry, authenticated },
      signal,
    ));
    return 'opened';
  } catch (thrown) {
    // Found, whole, and in a format that an exporter can write and need not read, such as age.
    if (kindOf(thrown) === 'denied' && entry.sealed.encryption !== ENVELOPE) return 'sealed';
    throw thrown;
  }
}

const nothingHeld = (): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_ROLLBACK_NOTHING_HELD',
    'no rollback is in force, so there is nothing to resume',
    {
      hint: '`kongfallback history` shows what is published, and whether it is held.',
    },
  );
