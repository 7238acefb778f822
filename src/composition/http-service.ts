import { redactor } from '../observe/index.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ServiceState } from '../observe/metrics-state.ts';
import { version } from '../observe/version.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/**
 * Health, metrics and status of a long-running role on `service.listen`, closed with everything else. Loaded here: a
 * command that ends at once must not pay for it.
 *
 * @param state asked for each answer
 * @returns undefined when it is switched off
 * @throws FallbackError KF_SERVICE_LISTEN
 */
export async function startHttpService(get: Get, state: () => ServiceState): Promise<Metrics | undefined> {
  const { settings, secrets } = get(Part.settings);
  const { listen } = settings.service;
  if (listen === 'off') return undefined;
  const [{ startHttp }, { createMetrics }] = await Promise.all([
    import('../service/http.ts'),
    import('../observe/metrics.ts'),
  ]);
  const metrics = await createMetrics(version());
  const [clock, log, lifecycle] = [get(Part.clock), get(Part.log), get(Part.lifecycle)];
  lifecycle.opened('metrics', () => metrics.close());
  const redact = redactor(secrets);
  const http = await startHttp({ listen, state, metrics, version: version(), redact, clock, log });
  lifecycle.opened('http service', () => http.close());
  return metrics;
}
