/**
 * What an error means for the caller. The kind decides behaviour, the code names the case, the hint tells the
 * operator what to do (src/errors/README.md holds the table).
 */
export const ERROR_KINDS = [
  'unavailable',
  'denied',
  'corrupt',
  'unsupported',
  'conflict',
  'invalid',
  'aborted',
] as const;

export type ErrorKind = (typeof ERROR_KINDS)[number];

export function isErrorKind(value: unknown): value is ErrorKind {
  return typeof value === 'string' && (ERROR_KINDS as readonly string[]).includes(value);
}

/** Exit code of a command that ended with an error of this kind. */
export const EXIT_CODE_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 2,
  unsupported: 2,
  unavailable: 10,
  denied: 11,
  corrupt: 12,
  conflict: 13,
  aborted: 130,
};
