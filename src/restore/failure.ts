import { classify, type ErrorKind, FallbackError } from '../errors/index.ts';
import type { Finding } from '../plugin/index.ts';

/** One thing that could not be used, and why. */
export interface RestoreFailure {
  readonly origin: 'storage' | 'cache';
  /** Id of the storage; null for the cache. */
  readonly store: string | null;
  /** Key below the store's prefix, or file. */
  readonly key: string;
  readonly error: FallbackError;
}

/**
 * Kind of the whole: what may work on the next attempt first, then what an operator can mend, then damage. An
 * absent head says the least: it counts only when there is nothing else.
 */
const PRECEDENCE: readonly ErrorKind[] = [
  'unavailable',
  'denied',
  'corrupt',
  'unsupported',
  'conflict',
  'invalid',
  'aborted',
];

/** Every failure of one restore; the most telling one gives kind, cause and hint. */
export class RestoreError extends FallbackError {
  readonly failures: readonly RestoreFailure[];

  constructor(failures: readonly RestoreFailure[]) {
    const telling = mostTelling(failures);
    const lines = failures.map((failure) => `\n${describe(failure)}`).join('');
    super(
      telling?.kind ?? 'unavailable',
      'KF_RESTORE_FAILED',
      `no snapshot could be restored:${lines || ' none was accepted'}`,
      {
        ...(telling !== undefined && { cause: telling }),
        ...(telling?.hint !== undefined && { hint: telling.hint }),
        ...(telling?.retryAfterMs !== undefined && { retryAfterMs: telling.retryAfterMs }),
      },
    );
    this.failures = failures;
  }
}

/** What went wrong before something else worked. */
export function failureFinding(failure: RestoreFailure): Finding {
  return {
    code: 'restore/refused',
    severity: 'warning',
    message: describe(failure),
    ...(failure.error.hint !== undefined && { hint: failure.error.hint }),
  };
}

/** An older snapshot may do better; with anything else it would fail the same way, or hide what has to be mended. */
export function olderMayDo(error: FallbackError): boolean {
  return error.kind === 'corrupt' || error.kind === 'unsupported';
}

/** @throws the error itself when it says that the caller has stopped */
export function failure(
  origin: RestoreFailure['origin'],
  store: string | null,
  key: string,
  thrown: unknown,
): RestoreFailure {
  const error = classify(thrown, where({ origin, store, key }));
  if (error.kind === 'aborted') throw error;
  return { origin, store, key, error };
}

function mostTelling(failures: readonly RestoreFailure[]): FallbackError | undefined {
  const rank = ({ code, kind }: FallbackError) =>
    code === 'KF_HEAD_MISSING' ? PRECEDENCE.length : PRECEDENCE.indexOf(kind);
  return failures.map(({ error }) => error).sort((a, b) => rank(a) - rank(b))[0];
}

function describe(failed: RestoreFailure): string {
  const { code, message } = failed.error;
  const place = where(failed);
  return `${message.startsWith(place.split(':')[0] as string) ? '' : `${place}: `}${message} [${code}]`;
}

const where = ({ origin, store, key }: Omit<RestoreFailure, 'error'>): string =>
  origin === 'storage' ? `storage ${store}: ${key}` : `cache: ${key}`;
