import { randomUUID } from 'node:crypto';
import type { LifecycleRule } from '@aws-sdk/client-s3';
import type { Finding, InspectOptions, ObjectStore, StoreInspection } from 'kongfallback/plugin';
import { lifecycleFindings } from './lifecycle.ts';

export interface InspectedBucket {
  readonly store: Pick<ObjectStore, 'put' | 'delete'>;
  /** The bucket's rules; undefined: these credentials may not see them, or the server has none of that kind. */
  readonly rules: (signal: AbortSignal) => Promise<readonly LifecycleRule[] | undefined>;
  readonly tagged: boolean;
}

/** An ETag that no server makes. */
const NO_VERSION = '"kongfallback-no-such-version"';

/** @throws what the requests end in, other than a refusal */
export async function inspectBucket(
  { rules, store, tagged }: InspectedBucket,
  options: InspectOptions,
): Promise<StoreInspection> {
  const { as, prefix, signal } = options;
  const writable = as === 'reader' ? await writableByReader(store, options) : [];
  const held = await rules(signal);
  return {
    findings: [...writable, ...lifecycleFindings(held ?? [], prefix, tagged)],
    unseen: held === undefined ? ['lifecycle rules'] : [],
  };
}

/**
 * Asks to replace a version that never was of an object that is not there. Who may not write is denied; who may is told that
 * the condition does not hold, and nothing has changed. A server that keeps no conditions writes a few bytes under a key that
 * nobody reads, which are removed again.
 */
async function writableByReader(
  store: InspectedBucket['store'],
  { prefix, signal }: InspectOptions,
): Promise<Finding[]> {
  const name = `.kongfallback-probe-${randomUUID()}`;
  const key = prefix === '' ? name : `${prefix}/${name}`;
  try {
    await store.put(key, new TextEncoder().encode('kongfallback doctor'), { ifMatch: NO_VERSION, signal });
    await store.delete(key, { signal }).catch(() => {});
  } catch (error) {
    const { kind } = error as { kind?: unknown };
    if (kind === 'denied') return [];
    if (kind !== 'conflict') throw error;
  }
  return [
    {
      code: 's3/writable-by-reader',
      severity: 'warning',
      message: 'these credentials may write, and a data plane or a relay only reads',
      hint: 'Give readers credentials of their own; `kongfallback policy --role reader` prints the policy.',
    },
  ];
}
