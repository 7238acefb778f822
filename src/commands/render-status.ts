import { escapeControls } from '../observe/index.ts';
import type { HeadState } from '../observe/metrics-state.ts';
import type { StatusReport } from '../status/report.ts';
import { entities } from './render-counts.ts';
import { findingLines } from './render-findings.ts';
import { tableLines } from './render-table.ts';

const HEADINGS = ['storage', 'head', 'sequence', 'alive', 'confirmed', 'control plane', 'configuration'];

/** For a person: one screen. */
export function statusText({ status, cluster, at, lines, findings }: StatusReport): string {
  const blocks = lines.flatMap(({ gatewayVersion, heads }) => [
    '',
    `gateway ${gatewayVersion}`,
    ...tableLines([HEADINGS, ...heads.map(row)]).map((line) => `  ${line}`),
  ]);
  const wrong = findings.length === 0 ? [] : ['', ...findingLines(findings)];
  return `${[`${status}: ${cluster} at ${at}`, ...blocks, ...wrong].join('\n')}\n`;
}

function row({ store, state, error, head }: HeadState): string[] {
  if (head === null) return [store, error === null ? state : `${state} [${error.code}]`];
  const { sequence, authenticated, aliveAgeMs, confirmedAgeMs, controlPlane, current } = head;
  return [
    store,
    state === 'verified' && !authenticated ? 'unsigned' : state,
    String(sequence),
    duration(aliveAgeMs),
    duration(confirmedAgeMs),
    controlPlane.state,
    escapeControls(`${entities(current.counts)}; exported ${current.exportedAt}`),
  ];
}

/** "12 s", "3 min", "5 h", "4 d": the two leading digits are what somebody looks for. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
