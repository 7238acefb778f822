import { headKey } from '../../snapshot/object-keys.ts';
import type { LineStore } from '../../snapshot/snapshot-store.ts';
import type { ReadObject } from '../../snapshot/store-objects.ts';

/** The same store for one line: a head that is still the one read before is not transferred again. */
export function rememberingHead(store: LineStore, gatewayVersion: string): LineStore {
  const key = headKey(gatewayVersion);
  let known: ReadObject | undefined;
  return {
    id: store.id,
    read: async (name, options) => {
      if (name !== key) return store.read(name, options);
      const condition = known === undefined ? {} : { ifNoneMatch: known.etag };
      const found = await store.read(name, { ...options, ...condition });
      if (found === 'not-modified') return known;
      known = found && remembered(found);
      return found;
    },
    stream: (name, options) => store.stream(name, options),
    put: (name, body, options) => store.put(name, body, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (name, options) => store.delete(name, options),
  };
}

/** Without the store's time: it was that of the answer then. */
function remembered({ bytes, etag, askedMs }: ReadObject): ReadObject {
  return { bytes, etag, askedMs };
}
