import type { DependencyContainer } from 'tsyringe';
import type { LoadedSettings } from '../config/index.ts';
import { ownVersion } from '../doctor/checks/gateway-version.ts';
import type { Observation } from '../doctor/observation.ts';
import type { DoctorRole } from '../doctor/report.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import { commonParts } from './common-parts.ts';
import type { DoctorPlaces } from './doctor-settings.ts';
import { openDoctorStores } from './doctor-stores.ts';
import { Part } from './parts.ts';
import { type Get, get as getter, provide } from './tokens.ts';

/** What the checks of a role look at. */
export interface DoctorSite {
  readonly role: DoctorRole;
  readonly loaded: LoadedSettings;
  /** False: the role's settings are refused, and this is what is left without keys and certificates. */
  readonly whole: boolean;
  /** With only the storages that could be made, and `versions` as the settings' gateway versions. */
  readonly parts: DependencyContainer;
  readonly get: Get;
  readonly stores: readonly GuardedStore[];
  readonly storeFaults: readonly Observation[];
  /** That this role has to do with: of a node its own. */
  readonly versions: readonly string[];
  /** What `kong version` says here. */
  readonly installed: string | undefined;
  readonly places: DoctorPlaces;
  readonly close: () => Promise<void>;
}

const CLOSE_DEADLINE_MS = 5000;

export async function openDoctorSite(
  role: DoctorRole,
  { loaded, log }: { readonly loaded: LoadedSettings; readonly log: Logger },
  places: DoctorPlaces,
): Promise<DoctorSite> {
  const installed =
    role === 'node' ? await (await import('../config/kong-version.ts')).kongVersion(places.env) : undefined;
  const { bootstrap, gatewayVersions } = loaded.settings;
  const own = ownVersion({ set: bootstrap.gatewayVersion, installed, listed: gatewayVersions });
  const versions = role !== 'node' ? gatewayVersions : own === undefined ? [] : [own];
  const { gatewayVersion: _, ...rest } = bootstrap;
  const settings = { ...loaded.settings, gatewayVersions: [...versions], bootstrap: rest };
  const { close: closeStores, seen, stores } = await openDoctorStores(loaded, log);
  const parts = commonParts({ ...loaded, settings }, log);
  provide(parts, Part.stores, async () => stores);
  const get = getter(parts);
  const close = async () => {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
    await closeStores();
  };
  const whole = loaded.role === role;
  return { role, loaded, whole, parts, get, stores, storeFaults: seen, versions, installed, places, close };
}
