import { AREAS, type Diagnosis, type DoctorReport } from '../doctor/report.ts';
import { escapeControls } from '../observe/index.ts';

const INDENT = ' '.repeat(11);

/** For a person: one screen, by area, with what is well. */
export function doctorText({ results, role, status }: DoctorReport): string {
  const count = (severity: Diagnosis['severity']): number =>
    results.filter((result) => result.severity === severity).length;
  const blocks = AREAS.flatMap((area) => {
    const within = results.filter((result) => result.area === area);
    return within.length === 0
      ? []
      : ['', area, ...within.flatMap((result, at) => lines(result, within[at + 1]))];
  });
  const heading = `${status}: ${role}, ${several(count('error'), 'error')}, ${several(count('warning'), 'warning')}, ${count('ok')} ok`;
  return `${[heading, ...blocks].join('\n')}\n`;
}

/** One hint for several in a row that have the same. */
function lines(result: Diagnosis, next: Diagnosis | undefined): string[] {
  const { code, message, severity } = result;
  const text = message.split('\n').map(escapeControls).join(`\n${INDENT}`);
  const shown = `  ${severity.padEnd(7)}  ${text}`;
  if (result.severity === 'ok') return [shown];
  if (next !== undefined && next.severity !== 'ok' && next.hint === result.hint)
    return [`${shown} [${code}]`];
  return [`${shown} [${code}]`, `${INDENT}hint: ${escapeControls(result.hint)}`];
}

const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
