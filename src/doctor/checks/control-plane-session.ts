import { type ProbeOptions, probeControlPlane } from '../../kong/probe.ts';
import type { Fault, Observation } from '../observation.ts';

/** Would the control plane configure a data plane of this version that has our plugins? */
export async function controlPlaneSession(options: ProbeOptions, severity: Fault): Promise<Observation[]> {
  const { gatewayVersion } = options;
  const health = await probeControlPlane(options);
  const ms = Math.round(health.durationMs);
  if (health.reachable) {
    const message = `${health.address} sent a configuration for gateway ${gatewayVersion} in ${ms} ms`;
    return [{ severity: 'ok', code: 'control-plane-configures', message }];
  }
  const { hint, message, reason } = health;
  return [
    {
      severity,
      code: reason,
      message: `gateway ${gatewayVersion}: ${message}`,
      hint: hint ?? `See ${reason} in src/errors/README.md.`,
    },
  ];
}
