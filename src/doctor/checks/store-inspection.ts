import { classify } from '../../errors/index.ts';
import type { InspectOptions, ObjectStore } from '../../plugin/index.ts';
import { fromError, type Observation } from '../observation.ts';

/**
 * What a storage plugin says of the store itself: rules that delete, rights that are too wide. With the rights of a reader
 * much of it cannot be looked at, and that is as it should be.
 */
export async function storeInspection(
  id: string,
  store: Pick<ObjectStore, 'inspect'>,
  options: InspectOptions,
): Promise<Observation[]> {
  if (store.inspect === undefined) {
    return [
      {
        severity: 'ok',
        code: 'storage-not-inspected',
        message: `storage ${id}: its plugin does not look at the store itself`,
      },
    ];
  }
  try {
    const { findings, unseen } = await store.inspect(options);
    const seen = findings.map(
      ({ code, hint, message, severity }): Observation => ({
        severity,
        code,
        message: `storage ${id}: ${message}`,
        hint: hint ?? `See the documentation of the storage plugin for ${code}.`,
      }),
    );
    if (unseen.length > 0) {
      const message = `storage ${id}: cannot be looked at from here: ${unseen.join(', ')}`;
      return [...seen, { severity: 'ok', code: 'storage-not-inspected', message }];
    }
    if (seen.length > 0) return seen;
    const message = `storage ${id}: nothing in it deletes or withholds snapshots, and no right is too many`;
    return [{ severity: 'ok', code: 'storage-inspected', message }];
  } catch (thrown) {
    if (options.signal.aborted) throw thrown;
    const error = classify(thrown, `storage ${id}: look at the store itself`);
    const message = `storage ${id}: cannot be looked at beyond its objects [${error.code}]`;
    // That it is away, or that the credentials are wrong, is what the other checks say.
    return error.kind === 'invalid'
      ? [fromError(error, 'error')]
      : [{ severity: 'ok', code: 'storage-not-inspected', message }];
  }
}
