import type { FallbackError } from '../errors/index.ts';

/** Something a check saw. What is not well says what to do. */
export type Observation =
  | { readonly severity: 'ok'; readonly code: string; readonly message: string }
  | {
      readonly severity: Fault;
      /** Stable name of the case; those that begin with KF_ are codes of src/errors/README.md. */
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };

/** `error`: this role would not do its work on the day. `warning`: it would, and somebody has to look. */
export type Fault = 'warning' | 'error';

export function fromError(
  { code, hint, message }: Pick<FallbackError, 'code' | 'message' | 'hint'>,
  severity: Fault,
): Observation {
  return { severity, code, message, hint: hint ?? `See ${code} in src/errors/README.md.` };
}
