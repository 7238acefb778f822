import type { ReadTrust } from '../composition/trust.ts';
import { escapeControls } from '../observe/index.ts';
import { errorJson } from './render-error.ts';
import { tableLines } from './render-table.ts';

const SENTENCE: Readonly<Record<ReadTrust['verdict'], string>> = {
  ok: 'a new start takes what the storages hold',
  behind: 'some storage holds an older head than this node has seen: it is refused, the others do',
  refused:
    'every storage holds an older head than this node has seen: a new start uses its cache, or nothing',
  unknown: 'no storage holds a head that can be used',
};

/** For a person. */
export function trustText(lines: readonly ReadTrust[]): string {
  return `${lines.flatMap(lineText).map(escapeControls).join('\n')}\n`;
}

function lineText({
  gatewayVersion,
  ratchet,
  minimumSequence,
  stores,
  verdict,
  ...line
}: ReadTrust): string[] {
  const rows = stores.map(({ store, sequence, verdict: taken, error, authenticated }) => [
    `  storage ${store}`,
    sequence === null ? '' : `sequence ${sequence}`,
    authenticated === false ? `${taken}, not verified with a key` : taken,
    error === null ? '' : `${error.message} [${error.code}]`,
  ]);
  const reset = line.resetTo;
  return [
    `gateway ${gatewayVersion}: ${SENTENCE[verdict]}`,
    `  seen here: ${ratchet === null ? 'nothing yet; the first head that verifies is taken' : `sequence ${ratchet}`} (${line.directory})`,
    ...(minimumSequence === null ? [] : [`  bootstrap.minimumSequence: ${minimumSequence}`]),
    ...tableLines(rows),
    ...(reset === undefined
      ? []
      : [
          `  reset: ${reset === null ? 'nothing has been seen' : `from now on, sequence ${reset} has been seen`}`,
        ]),
  ];
}

export const trustJson = ({ stores, ...line }: ReadTrust): object => ({
  ...line,
  stores: stores.map(({ error, ...store }) => ({ ...store, ...(error && { error: errorJson(error) }) })),
});
