import { escapeControls } from '../observe/index.ts';
import type { ShownFinding } from '../observe/metrics-state.ts';
import { oneLine } from './one-line.ts';

/** The worst first. */
export function findingLines(findings: readonly ShownFinding[]): string[] {
  const worstFirst = [...findings].sort(
    (a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'),
  );
  return worstFirst.flatMap(({ severity, about, message, code, hint }) => [
    `${severity}: ${escapeControls(about)}: ${oneLine(message)} [${code}]`,
    ...(hint === undefined ? [] : [`  hint: ${escapeControls(hint)}`]),
  ]);
}
