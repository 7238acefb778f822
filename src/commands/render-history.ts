import { age } from '../observe/age.ts';
import { escapeControls } from '../observe/index.ts';
import type { HistoryEntry, HistoryLine } from '../status/history.ts';
import { entities } from './render-counts.ts';
import { countsDelta } from './render-counts-delta.ts';
import { errorJson } from './render-error.ts';
import { tableLines } from './render-table.ts';

const HEADINGS = ['sequence', 'hash', 'as of', 'exported', 'size', 'change', 'writer', 'marks'];

/** For a person: a table for each gateway version, then what is not as it should be. */
export function historyText(lines: readonly HistoryLine[]): string {
  return `${lines.flatMap(lineText).join('\n')}\n`;
}

function lineText({ gatewayVersion, hold, snapshots, stores }: HistoryLine): string[] {
  const lines = [`gateway ${gatewayVersion}`];
  if (snapshots.length > 0)
    lines.push(...tableLines([HEADINGS, ...snapshots.map(row)]).map((line) => `  ${line}`));
  if (hold !== null) {
    const end = hold.until === null ? '' : `, until ${hold.until}`;
    lines.push(escapeControls(`  held by ${hold.by} since ${hold.since}${end}: ${hold.reason}`));
  }
  for (const { sequence, findings, accepted } of snapshots) {
    for (const { code, severity, message } of findings)
      lines.push(escapeControls(`  ${sequence}: ${severity}: ${message} [${code}]`));
    if (accepted !== null)
      lines.push(escapeControls(`  ${sequence}: accepted by ${accepted.by}: ${accepted.reason}`));
  }
  const highest = Math.max(...stores.map(({ sequence }) => sequence ?? 0));
  for (const { store, sequence, error, authenticated } of stores) {
    if (error !== null) lines.push(escapeControls(`  storage ${store}: ${error.message} [${error.code}]`));
    else if (sequence !== highest)
      lines.push(`  storage ${store}: its head is of sequence ${sequence}, the newest is ${highest}`);
    if (authenticated === false) lines.push(`  storage ${store}: its head is not verified with a key`);
  }
  return lines;
}

function row(entry: HistoryEntry): string[] {
  const { sequence, documentSha256, ageSeconds, exportedAt, documentBytes, counts, formerCounts } = entry;
  const missing = entry.notIn.length === 0 ? [] : [`not in ${entry.notIn.join(', ')}`];
  return [
    String(sequence),
    documentSha256.slice(0, 12),
    `${age(ageSeconds)} ago`,
    exportedAt,
    `${documentBytes} bytes`,
    formerCounts === null ? entities(counts) : countsDelta(formerCounts, counts),
    entry.writer,
    [...entry.marks, ...missing].join(', '),
  ].map(escapeControls);
}

export const historyJson = ({ stores, ...line }: HistoryLine): object => ({
  ...line,
  stores: stores.map(({ error, ...store }) => ({ ...store, ...(error && { error: errorJson(error) }) })),
});
