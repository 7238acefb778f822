import type { LoadedSettings } from '../config/index.ts';
import { fromError, type Observation } from '../doctor/observation.ts';
import { classify } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import { commonParts } from './common-parts.ts';
import { Part } from './parts.ts';
import { get as getter } from './tokens.ts';

export interface DoctorStores {
  readonly stores: readonly GuardedStore[];
  /** Of those that could not be made. */
  readonly seen: readonly Observation[];
  readonly close: () => Promise<void>;
}

const CLOSE_DEADLINE_MS = 5000;

/** Each by itself, so that one that cannot be made does not hide the others. */
export async function openDoctorStores(loaded: LoadedSettings, log: Logger): Promise<DoctorStores> {
  const made = await Promise.all(
    loaded.entries.storages.map(async (entry) => {
      const get = getter(commonParts({ ...loaded, entries: { ...loaded.entries, storages: [entry] } }, log));
      const close = () => get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
      try {
        return { stores: await get(Part.stores), seen: [], close };
      } catch (thrown) {
        return { stores: [], seen: [fromError(classify(thrown, `storage ${entry.id}`), 'error')], close };
      }
    }),
  );
  return {
    stores: made.flatMap(({ stores }) => stores),
    seen: made.flatMap(({ seen }) => seen),
    close: async () => {
      await Promise.all(made.map(({ close }) => close()));
    },
  };
}
