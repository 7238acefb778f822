import type { ShownSnapshot } from '../composition/show.ts';
import { escapeControls } from '../observe/index.ts';
import { contentOfEntry, isRejected } from '../snapshot/content.ts';
import { entities } from './render-counts.ts';

/** For a person: what the head says of one snapshot. */
export function showText(shown: ShownSnapshot): string {
  const { entry, head, listed } = shown;
  const { document, sealed, findings, accepted } = entry;
  const lines = [
    `gateway ${listed.line.gatewayVersion}, sequence ${entry.sequence}${marks(shown)}`,
    `  document:      ${document.sha256}, ${document.length} bytes`,
    `  stored as:     ${entry.key}, ${sealed.length} bytes, ${sealed.encryption}`,
    `  config hash:   ${entry.configHash ?? 'none'}`,
    `  as of:         ${entry.asOf}`,
    `  exported:      ${entry.exportedAt} by ${entry.writer}${entry.controlPlaneVersion === null ? '' : `, control plane ${entry.controlPlaneVersion}`}`,
    `  holds:         ${entities(entry.counts)}`,
    `  plugins:       ${entry.plugins.join(', ') || 'none'}`,
    `  loadable:      ${entry.loadableUntil === null ? 'nothing in it expires' : `until ${entry.loadableUntil}`}`,
    `  listed by:     storage ${shown.store}, sequence ${head.sequence}, ${listed.authenticated ? 'signed by a trusted key' : 'not verified with a key'}`,
    ...findings.map(({ severity, code, message }) => `  ${severity}: ${message} [${code}]`),
    ...(accepted === null
      ? []
      : [`  accepted by ${accepted.by}: ${accepted.reason} (${accepted.codes.join(', ')})`]),
  ];
  return `${lines.map(escapeControls).join('\n')}\n`;
}

export function showJson({ entry, head, listed, store }: ShownSnapshot): object {
  return {
    gatewayVersion: listed.line.gatewayVersion,
    store,
    headSequence: head.sequence,
    authenticated: listed.authenticated,
    current: entry === head.entries[0],
    rejected: isRejected(contentOfEntry(entry), head.hold),
    hold: head.hold,
    ...entry,
  };
}

function marks({ entry, head }: ShownSnapshot): string {
  const current = entry === head.entries[0];
  if (current) return head.hold === null ? ' (current)' : ' (current, held)';
  return isRejected(contentOfEntry(entry), head.hold) ? ' (rejected)' : '';
}
