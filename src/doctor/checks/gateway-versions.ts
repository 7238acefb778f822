import type { Observation } from '../observation.ts';

/** Of a relay: what it can stand in with before it has seen a data plane. */
export function gatewayVersions(listed: readonly string[]): Observation[] {
  if (listed.length > 0) {
    return [{ severity: 'ok', code: 'gateway-versions', message: `gateways ${listed.join(', ')}` }];
  }
  return [
    {
      severity: 'warning',
      code: 'gateway-versions-unset',
      message:
        'gatewayVersions is empty: no copy is kept until a data plane of a version was seen during an outage',
      hint: 'Set gatewayVersions to the exact versions of the data planes, as `kong version` prints them: ["3.9.1"].',
    },
  ];
}
