import type { RolledBackLine } from '../composition/rollback.ts';
import { codeOf } from '../errors/index.ts';
import { escapeControls } from '../observe/index.ts';
import type { Hold, SnapshotEntry } from '../snapshot/head.ts';
import { entities } from './render-counts.ts';
import { countsDelta } from './render-counts-delta.ts';
import { errorJson, renderError } from './render-error.ts';

const SENTENCE: Readonly<Record<RolledBackLine['outcome'], string>> = {
  'rolled-back': 'rolled back',
  planned: 'would be rolled back; nothing was written',
  resumed: 'the hold has ended',
  'not-held': 'no rollback is in force; nothing was written',
  failed: 'NOT rolled back',
};

const NEXT = {
  rollback: [
    'next: new data planes get the snapshot above. Those that run are not touched: storage is read when a node is created;',
    '  a relay serves it within a minute while it stands in for the control plane. What the control plane sends again is',
    '  held back; a configuration that is new is published and ends the hold. `kongfallback rollback --resume` ends it too.',
  ],
  resume: [
    'next: the exporter publishes what the control plane sends at its next confirmation. Until then, and while the control',
    '  plane is down, what is published stays.',
  ],
};

/** For a person: one screen. */
export function rollbackText(lines: readonly RolledBackLine[]): string {
  const next = lines.some(({ outcome }) => outcome === 'resumed') ? NEXT.resume : NEXT.rollback;
  const written = lines.some(({ outcome }) => outcome !== 'failed');
  return `${[...lines.flatMap(lineText), ...(written ? ['', ...next] : [])].join('\n')}\n`;
}

function lineText({
  gatewayVersion,
  outcome,
  sequence,
  from,
  target,
  hold,
  ...rest
}: RolledBackLine): string[] {
  const { checked, stores, error } = rest;
  const lines = [
    `gateway ${gatewayVersion}: ${SENTENCE[outcome]}${sequence === null ? '' : `, sequence ${sequence}`}`,
  ];
  if (from !== null && target !== null) {
    lines.push(
      `  from:    ${snapshotText(from)}`,
      `  to:      ${snapshotText(target)}`,
      `  changes: ${escapeControls(countsDelta(from.counts, target.counts))}`,
    );
  }
  if (hold !== null) lines.push(`  hold:    ${holdText(hold)}`);
  if (checked === 'sealed')
    lines.push(
      '  warning: the snapshot is there, whole, and could not be opened here: no key for it is held',
    );
  for (const { store, outcome: result, error: failed } of stores) {
    const why = failed === undefined ? '' : `: ${escapeControls(failed.message)} [${codeOf(failed)}]`;
    lines.push(`  storage ${store}: ${result}${why}`);
  }
  if (error !== undefined) lines.push(`  ${renderError(error).trimEnd().replaceAll('\n', '\n  ')}`);
  return lines;
}

function snapshotText({ sequence, document, exportedAt, writer, counts }: SnapshotEntry): string {
  const hash = document.sha256.slice(0, 12);
  return escapeControls(
    `sequence ${sequence}, ${hash}, exported ${exportedAt} by ${writer}; ${entities(counts)}`,
  );
}

function holdText({ by, reason, since, until, rejected }: Hold): string {
  const end = until === null ? 'until it is resumed or something new comes' : `until ${until}`;
  return escapeControls(`by ${by} since ${since}, ${end}; rejects ${rejected.length}: ${reason}`);
}

export function rollbackJson({ stores, error, from, target, ...line }: RolledBackLine): object {
  return {
    ...line,
    from: from && snapshotJson(from),
    target: target && snapshotJson(target),
    stores: stores.map(({ store, outcome, error: failed }) => ({
      store,
      outcome,
      ...(failed !== undefined && { error: errorJson(failed) }),
    })),
    ...(error !== undefined && { error: errorJson(error) }),
  };
}

const snapshotJson = ({
  sequence,
  document,
  configHash,
  exportedAt,
  asOf,
  writer,
  counts,
}: SnapshotEntry) => ({
  sequence,
  documentSha256: document.sha256,
  configHash,
  exportedAt,
  asOf,
  writer,
  counts,
});
