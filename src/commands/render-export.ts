import { codeOf } from '../errors/index.ts';
import type { ExportOutcome } from '../export/outcome.ts';
import { escapeControls } from '../observe/index.ts';
import { entities } from './render-counts.ts';

const SENTENCE: Readonly<Record<ExportOutcome['outcome'], string>> = {
  published: 'published',
  confirmed: 'unchanged, and confirmed',
  unchanged: 'unchanged, no confirmation due',
  refused: 'REFUSED by a validator; the former configuration stays, this one is kept aside',
  older: 'NOT PUBLISHED: a store holds something newer, so control planes disagree',
  held: 'not published: a rollback is in force that rejects it',
};

/** For a person: one line, then the findings and the stores that failed. */
export function exportLine(outcome: ExportOutcome): string {
  const { gatewayVersion, sequence, counts, findings, stores } = outcome;
  const facts = [
    ...(sequence === null ? [] : [`sequence ${sequence}`]),
    ...(counts === null ? [] : [entities(counts)]),
    `${outcome.timings['totalMs']} ms`,
  ];
  const lines = [`${gatewayVersion}: ${SENTENCE[outcome.outcome]} (${facts.join(', ')})`];
  for (const { severity, code, message, hint } of findings) {
    lines.push(`  ${severity}: ${escapeControls(message)} [${code}]`);
    if (hint !== undefined) lines.push(`    hint: ${escapeControls(hint)}`);
  }
  for (const { store, error } of stores) {
    if (error !== undefined)
      lines.push(`  storage ${store} failed: ${escapeControls(error.message)} [${error.code}]`);
  }
  return `${lines.join('\n')}\n`;
}

export function outcomeJson(outcome: ExportOutcome): object {
  const stores = outcome.stores.map(({ store, outcome: result, error }) => ({
    store,
    outcome: result,
    ...(error !== undefined && { error: { code: codeOf(error), message: error.message } }),
  }));
  return { ...outcome, stores };
}
