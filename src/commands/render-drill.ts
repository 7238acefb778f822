import { age } from '../observe/age.ts';
import type { HealthStatus, ShownFinding } from '../observe/metrics-state.ts';
import type { DrillResult } from '../status/drill.ts';
import { errorJson } from './render-error.ts';
import { findingLines } from './render-findings.ts';
import { tableLines } from './render-table.ts';

const HEADINGS = [
  'gateway',
  'from',
  'verdict',
  'sequence',
  'as of',
  'resolve',
  'fetch',
  'open',
  'requests',
  'read',
];

/** For a person: a line for each restore, then what was wrong. */
export function drillText(
  status: HealthStatus,
  results: readonly DrillResult[],
  findings: readonly ShownFinding[],
): string {
  const table = tableLines([HEADINGS, ...results.map(row)]).map((line) => `  ${line}`);
  const wrong = findings.length === 0 ? [] : ['', ...findingLines(findings)];
  return `${[status, ...table, ...wrong].join('\n')}\n`;
}

function row(result: DrillResult): string[] {
  const { gatewayVersion, store, verdict, sequence, ageSeconds, timings, requests, bytesRead } = result;
  const from = store ?? '(cache)';
  if (sequence === null) return [gatewayVersion, from, verdict];
  const { resolveMs, fetchMs, openMs } = timings;
  return [
    gatewayVersion,
    from,
    verdict,
    String(sequence),
    ageSeconds === null ? '' : `${age(ageSeconds)} ago`,
    `${resolveMs} ms`,
    `${fetchMs} ms`,
    `${openMs} ms`,
    String(requests),
    `${bytesRead} bytes`,
  ];
}

export function drillJson({ error, at, ...result }: DrillResult): object {
  return { ...result, at: new Date(at).toISOString(), ...(error !== null && { error: errorJson(error) }) };
}
