// The key-wrap plugins of one encryption list: every one wraps, any one opens (design D8).
import { classify, FallbackError } from '../errors/index.ts';
import type { KeyWrap } from '../plugin/index.ts';
import { DATA_KEY_BYTES, snapshotCorrupt } from './envelope.ts';
import { type HeaderKey, MAX_KEY_ID_LENGTH, MAX_WRAPPED_BYTES } from './envelope-header.ts';

/** A call into a plugin: with a deadline, and a breaker where there is one. */
export type PluginCall = <T>(
  id: string,
  what: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

export interface KeyWrapInstance {
  readonly id: string;
  readonly use: string;
  readonly plugin: KeyWrap;
}

export class KeyRing {
  readonly #instances: readonly KeyWrapInstance[];
  readonly #call: PluginCall;

  constructor(instances: readonly KeyWrapInstance[], call: PluginCall) {
    this.#instances = instances;
    this.#call = call;
  }

  /**
   * Wrapped by every instance, or not at all: a snapshot that lacks one, say the offline key, would be found
   * wanting on the day when the others are gone.
   */
  wrap(dataKey: Uint8Array, context: Uint8Array, signal: AbortSignal): Promise<HeaderKey[]> {
    return Promise.all(
      this.#instances.map(async ({ id, use, plugin }) => {
        const what = `encryption ${id}: wrap the data key`;
        // A copy each: a plugin that wipes or keeps its argument must not reach the key of the others.
        const own = Uint8Array.from(dataKey);
        const { keyId, wrapped } = await this.#call(id, what, signal, (inner) =>
          plugin.wrap(own, context, { signal: inner }),
        ).finally(() => own.fill(0));
        if (!isKeyId(keyId) || !isWrapped(wrapped)) throw wrapInvalid(what);
        return { plugin: use, keyId, wrapped };
      }),
    );
  }

  /**
   * The data key by whichever instance can. When none can: `unavailable` before `denied` before `corrupt`, since
   * what may work later must not be given up, and what an operator can mend must not look like damage.
   *
   * @throws FallbackError the plugin's `unavailable`; `denied` KF_KEY_UNKNOWN; `corrupt` KF_SNAPSHOT_CORRUPT
   */
  async unwrap(keys: readonly HeaderKey[], context: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const failures: FallbackError[] = [];
    for (const key of keys) {
      for (const instance of this.#instances.filter(({ use }) => use === key.plugin)) {
        const what = `encryption ${instance.id}: unwrap with key ${printable(key.keyId)}`;
        try {
          const dataKey = await this.#call(instance.id, what, signal, (inner) =>
            instance.plugin.unwrap(key.keyId, key.wrapped, context, { signal: inner }),
          );
          if (dataKey instanceof Uint8Array && dataKey.length === DATA_KEY_BYTES) return dataKey;
          failures.push(snapshotCorrupt(`${what}: the plugin gave no key of ${DATA_KEY_BYTES} bytes`));
        } catch (thrown) {
          const error = classify(thrown, what);
          if (error.kind === 'aborted') throw error;
          failures.push(error);
        }
      }
    }
    throw this.#noKey(keys, failures);
  }

  #noKey(keys: readonly HeaderKey[], failures: readonly FallbackError[]): FallbackError {
    const unavailable = failures.find(({ kind }) => kind === 'unavailable');
    if (unavailable !== undefined) return unavailable;
    const uses = this.#instances.map(({ use }) => use);
    const wanted = keys.map(({ plugin, keyId }) => `${printable(plugin)} key ${printable(keyId)}`).join(', ');
    const denied = failures.filter(({ kind }) => kind !== 'corrupt');
    if (denied.length > 0 || failures.length === 0 || keys.some(({ plugin }) => !uses.includes(plugin))) {
      const details = denied.map(({ message }) => message).join('; ');
      return new FallbackError(
        'denied',
        'KF_KEY_UNKNOWN',
        `no configured encryption opens this snapshot: it needs ${wanted}${details && `; ${details}`}`,
        {
          ...(denied[0] !== undefined && { cause: denied[0] }),
          hint: `Add the key it needs to \`encryption\`, after the one that seals. Configured here: ${uses.join(', ')}.`,
        },
      );
    }
    return snapshotCorrupt(`its data key does not authenticate (${wanted})`, failures[0]);
  }
}

const isKeyId = (keyId: unknown): boolean =>
  typeof keyId === 'string' && keyId.length > 0 && keyId.length <= MAX_KEY_ID_LENGTH;

const isWrapped = (wrapped: unknown): boolean =>
  wrapped instanceof Uint8Array && wrapped.length > 0 && wrapped.length <= MAX_WRAPPED_BYTES;

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

function wrapInvalid(what: string): FallbackError {
  return new FallbackError(
    'invalid',
    'KF_ENCRYPTION_WRAP_INVALID',
    `${what}: the plugin's answer is unusable`,
    {
      hint: `A key id has 1 to ${MAX_KEY_ID_LENGTH} characters, a wrapped key 1 to ${MAX_WRAPPED_BYTES} bytes; this is a defect of the plugin.`,
    },
  );
}
