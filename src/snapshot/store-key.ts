import { FallbackError } from '../errors/index.ts';

/** S3 allows 1024 bytes; the half leaves room for every store that stores less (object-stores differ). */
const MAX_KEY_BYTES = 512;

const PART = /^[A-Za-z0-9._-]+$/;

/** Whether a plugin may be given this key: parts of [A-Za-z0-9._-], none empty, `.` or `..`, 512 bytes at most. */
export function isStoreKey(key: string): boolean {
  if (key.length === 0 || key.length > MAX_KEY_BYTES) return false;
  return key.split('/').every((part) => PART.test(part) && part !== '.' && part !== '..');
}

/**
 * The key itself, when it is one.
 *
 * @throws FallbackError `invalid` KF_STORE_KEY_INVALID
 */
export function checkStoreKey(key: string): string {
  if (isStoreKey(key)) return key;
  throw new FallbackError(
    'invalid',
    'KF_STORE_KEY_INVALID',
    `not a storage key: ${JSON.stringify(key.slice(0, MAX_KEY_BYTES))}`,
    {
      hint:
        'Check `prefix` and `gatewayVersions`: a key has parts of letters, digits, dot, dash and underscore ' +
        `between slashes, none empty, "." or "..", and at most ${MAX_KEY_BYTES} bytes in all.`,
    },
  );
}
