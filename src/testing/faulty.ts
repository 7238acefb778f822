import type { ByteStream, GetOptions, ObjectStore, StoredObject } from '../plugin/index.ts';
import { type BodyFault, spoiled } from './spoiled-body.ts';

interface Selected {
  /** Only keys that match; default: all. */
  readonly key?: RegExp;
  /** Calls that pass unharmed before. */
  readonly after?: number;
  /** Calls that it strikes; default: all. */
  readonly times?: number;
}

export interface CallFault extends Selected {
  readonly on: 'get' | 'put' | 'list' | 'delete';
  /** `after-effect`: the store did it, the answer is lost. Default: before. */
  readonly when?: 'before-effect' | 'after-effect';
  /** Thrown; or `hang` for a call that never settles, whatever its signal says. */
  readonly error: unknown | (() => unknown) | 'hang';
}

export interface BodyFaultAt extends Selected {
  readonly on: 'body';
  readonly fault: BodyFault;
  /** Byte at which it begins; default: the middle is not known, so the first. */
  readonly at?: number;
}

export type Fault = CallFault | BodyFaultAt;

/**
 * A store in which things go wrong by script, before and after their effect. Everything that is not struck
 * passes unchanged, so that the contract holds for `faulty(store, [])`.
 */
export function faulty(store: ObjectStore, faults: readonly Fault[]): ObjectStore {
  const script = faults.map((fault) => ({
    fault,
    left: fault.times ?? Number.POSITIVE_INFINITY,
    skipped: 0,
  }));

  const struck = <F extends Fault>(key: string, is: (fault: Fault) => fault is F): F | undefined => {
    for (const entry of script) {
      const { fault } = entry;
      if (!is(fault) || entry.left <= 0 || fault.key?.test(key) === false) continue;
      if (entry.skipped < (fault.after ?? 0)) {
        entry.skipped++;
        continue;
      }
      entry.left--;
      return fault;
    }
    return undefined;
  };
  const onCall = (on: CallFault['on'], key: string) =>
    struck(key, (fault): fault is CallFault => fault.on === on);
  const call = async <T>(on: CallFault['on'], key: string, work: () => Promise<T>): Promise<T> => {
    const fault = onCall(on, key);
    if (fault === undefined) return work();
    if (fault.when === 'after-effect') await work();
    return fail(fault);
  };

  return {
    get: async (key: string, options: GetOptions) => {
      const found = await call('get', key, () => store.get(key, options));
      if (found === undefined || found === 'not-modified') return found;
      const fault = struck(key, (one): one is BodyFaultAt => one.on === 'body');
      return fault === undefined ? found : withBody(found, spoiled(found.body, fault.fault, fault.at ?? 0));
    },
    put: (key, body, options) => call('put', key, () => store.put(key, body, options)),
    async *list(prefix, options) {
      const fault = onCall('list', prefix);
      if (fault !== undefined && fault.when !== 'after-effect') await fail(fault);
      yield* store.list(prefix, options);
      if (fault !== undefined) await fail(fault);
    },
    delete: (key, options) => call('delete', key, () => store.delete(key, options)),
    close: async () => store.close?.(),
  };
}

function fail(fault: CallFault): Promise<never> {
  if (fault.error === 'hang') return new Promise<never>(() => {});
  return Promise.reject(typeof fault.error === 'function' ? fault.error() : fault.error);
}

function withBody(found: StoredObject, body: ByteStream): StoredObject {
  return { ...found, body };
}
