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
    const found = await store.inspect(options);
    if (found.length === 0) {
      return [
        {
          severity: 'ok',
          code: 'storage-inspected',
          message: `storage ${id}: no rule that deletes, no right too many`,
        },
      ];
    }
    return found.map(({ code, hint, message, severity }) => ({
      severity,
      code,
      message: `storage ${id}: ${message}`,
      hint: hint ?? `See the documentation of the storage plugin for ${code}.`,
    }));
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
