import { escapeControls } from '../observe/index.ts';
import type { ShownFinding } from '../observe/metrics-state.ts';

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

/** An error that lists what it tried, in the one line that a finding has. */
const oneLine = (message: string): string =>
  escapeControls(message.replaceAll(':\n', ': ').replaceAll('\n', '; '));
