import { type HeadState, type HealthStatus, healthOf, type ShownFinding } from '../observe/metrics-state.ts';
import { type LineRules, lineFindings } from './line-findings.ts';

/** What `kongfallback status` tells. */
export interface StatusReport {
  readonly status: HealthStatus;
  readonly cluster: string;
  /** ISO 8601. */
  readonly at: string;
  readonly lines: readonly StatusLine[];
  readonly findings: readonly ShownFinding[];
}

export interface StatusLine {
  readonly gatewayVersion: string;
  readonly heads: readonly HeadState[];
}

export function statusReport(cluster: string, lines: readonly StatusLine[], rules: LineRules): StatusReport {
  const findings = lines.flatMap(({ gatewayVersion, heads }) => lineFindings(gatewayVersion, heads, rules));
  return {
    status: healthOf(findings),
    cluster,
    at: new Date(rules.now).toISOString(),
    lines,
    findings,
  };
}
