import type { DependencyContainer } from 'tsyringe';
import type { Metrics } from '../observe/metrics.ts';
import type { ServiceState } from '../observe/metrics-state.ts';
import { ServiceHub, type ServiceSeat } from '../service/service-hub.ts';
import { Part } from './parts.ts';
import { type Get, provide } from './tokens.ts';

/** A role's parts with its place in the HTTP service that the roles of the process share. */
export function seated(parts: DependencyContainer, seat: ServiceSeat | undefined): DependencyContainer {
  if (seat !== undefined) provide(parts, Part.seat, () => seat);
  return parts;
}

/**
 * Health, metrics and status of a long-running role on `service.listen`: beside the other roles where the process has
 * several, else in a service of its own, closed with everything else.
 *
 * @param state asked for each answer
 * @returns undefined when it is switched off
 * @throws FallbackError KF_SERVICE_LISTEN
 */
export async function startHttpService(get: Get, state: () => ServiceState): Promise<Metrics | undefined> {
  const { settings } = get(Part.settings);
  const { cluster } = settings;
  const { listen } = settings.service;
  if (listen === 'off') return undefined;
  const joining = { cluster, listen, state, redact: get(Part.redactor).redact, log: get(Part.log) };
  const shared = get(Part.seat);
  if (shared !== undefined) return shared.join(joining);
  const hub = new ServiceHub(get(Part.clock));
  // Its name until it is open; nobody is told it.
  const seat = hub.seat('node');
  get(Part.lifecycle).opened('http service', () => hub.close());
  return seat.join(joining);
}
