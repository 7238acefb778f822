import type { DiffedSnapshots } from '../composition/diff.ts';
import { escapeControls } from '../observe/index.ts';
import type { EntityChange } from '../status/snapshot-diff.ts';

const SIGN: Readonly<Record<EntityChange['change'], string>> = { added: '+', removed: '-', changed: '~' };

/** For a person: a line for each entity, and with values one for each field. */
export function diffText({ gatewayVersion, from, to, diff }: DiffedSnapshots): string {
  const { added, removed, changed, changes } = diff;
  const total = added + removed + changed;
  const more = total - changes.length;
  const lines = [
    `gateway ${gatewayVersion}: ${from.sequence} (${from.exportedAt}) -> ${to.sequence} (${to.exportedAt})`,
    `${added} added, ${removed} removed, ${changed} changed`,
    ...changes.flatMap(changeText),
    ...(more > 0 ? [`… and ${more} more; --limit shows more of them`] : []),
  ];
  return `${lines.map(escapeControls).join('\n')}\n`;
}

function changeText({ change, collection, id, name, fields, moreFields }: EntityChange): string[] {
  const who = [name, id].filter((part) => part !== null).join(' ');
  const about = `${SIGN[change]} ${collection}${who === '' ? '' : ` ${who}`}`;
  const more = moreFields > 0 ? [`and ${moreFields} more`] : [];
  const withValues = fields.some(({ from }) => from !== undefined);
  if (!withValues) {
    const names = [...fields.map(({ path }) => path), ...more];
    return [names.length === 0 ? about : `${about}: ${names.join(', ')}`];
  }
  return [
    about,
    ...fields.map(({ path, from, to }) => `    ${path}: ${from} -> ${to}`),
    ...more.map((text) => `    ${text}`),
  ];
}

export function diffJson({ gatewayVersion, from, to, diff }: DiffedSnapshots): object {
  const side = ({ sequence, document, exportedAt }: DiffedSnapshots['from']) => ({
    sequence,
    documentSha256: document.sha256,
    exportedAt,
  });
  const { added, removed, changed, changes } = diff;
  const omitted = added + removed + changed - changes.length;
  return { gatewayVersion, from: side(from), to: side(to), added, removed, changed, omitted, changes };
}
