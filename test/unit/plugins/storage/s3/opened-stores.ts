import type { ObjectStore, PluginContext } from 'kongfallback/plugin';
import { pluginContext } from 'kongfallback/testing';
import s3 from '../../../../../plugins/storage/s3/index.ts';
import { settings } from '../../../../../plugins/storage/s3/settings.ts';
import { systemClock } from '../../../../../src/resilience/clock.ts';

const opened: ObjectStore[] = [];

/** A store on these settings, on the machine's clock unless told otherwise; `closeStores` closes it. */
export async function openStore(
  given: Record<string, unknown>,
  context: Partial<PluginContext> = {},
): Promise<ObjectStore> {
  const store = await s3.create(
    settings.parse({ bucket: 'b', ...given }),
    pluginContext({ clock: systemClock, ...context }),
  );
  opened.push(store);
  return store;
}

export async function closeStores(): Promise<void> {
  for (const store of opened.splice(0)) await store.close?.();
}

/** Turns of the event loop until it holds; the test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise<void>((resolve) => setImmediate(resolve));
}
