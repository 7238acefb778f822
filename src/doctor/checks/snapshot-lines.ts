import type { HeadState, ShownFinding } from '../../observe/metrics-state.ts';
import type { Observation } from '../observation.ts';
import type { DoctorRole } from '../report.ts';

export interface LinesSeen {
  readonly lines: readonly { readonly gatewayVersion: string; readonly heads: readonly HeadState[] }[];
  /** What `status` would say of them. */
  readonly findings: readonly ShownFinding[];
}

/** @param maxAgeMs `bootstrap.maxAgeSeconds` of a node, in milliseconds */
export function snapshotLines(
  { findings, lines }: LinesSeen,
  role: DoctorRole,
  maxAgeMs: number | undefined,
): Observation[] {
  const heads = lines.flatMap(({ gatewayVersion, heads: all }) =>
    all.flatMap((state) => head(gatewayVersion, state, maxAgeMs)),
  );
  return [...heads, ...findings.map((finding) => fromFinding(finding, role))];
}

function head(
  gatewayVersion: string,
  { head: facts, store, state }: HeadState,
  maxAgeMs: number | undefined,
): Observation[] {
  if (state !== 'verified' || facts === null) return [];
  const { aliveAgeMs, confirmedAgeMs, sequence } = facts;
  const what = `gateway ${gatewayVersion} in storage ${store}: sequence ${sequence}, written ${seconds(aliveAgeMs)} s ago`;
  if (maxAgeMs !== undefined && aliveAgeMs > maxAgeMs) {
    return [
      {
        severity: 'error',
        code: 'snapshot-too-old',
        message: `${what}, and bootstrap.maxAgeSeconds is ${seconds(maxAgeMs)}: it would be refused`,
        hint: 'Look for the exporter, which writes at least every ten minutes; or raise bootstrap.maxAgeSeconds.',
      },
    ];
  }
  return [
    {
      severity: 'ok',
      code: 'snapshot-found',
      message: `${what}, confirmed ${seconds(confirmedAgeMs)} s ago`,
    },
  ];
}

function fromFinding({ about, code, hint, message, severity }: ShownFinding, role: DoctorRole): Observation {
  // Before its first export an exporter has nothing, and is not ill.
  const isError = severity === 'critical' && !(role === 'exporter' && code === 'nothing-to-restore');
  return {
    severity: isError ? 'error' : 'warning',
    code,
    message: `${about}: ${message}`,
    hint: hint ?? 'kongfallback status says more; the exporter writes what readers see.',
  };
}

const seconds = (ms: number): number => Math.round(ms / 1000);
