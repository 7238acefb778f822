import { type ErrorKind, isErrorKind } from './kinds.ts';

export interface FallbackErrorOptions {
  readonly cause?: unknown;
  /** What the operator can do; a full sentence. */
  readonly hint?: string;
  /** For `unavailable`: not before this many milliseconds. */
  readonly retryAfterMs?: number;
}

/**
 * The one error type of the core. Never tested with `instanceof` across the plugin border (there may be two
 * copies of this package in a process): `kindOf` reads the `kind` property of any value.
 */
export class FallbackError extends Error {
  override readonly name = 'FallbackError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly hint?: string;
  readonly retryAfterMs?: number;

  constructor(kind: ErrorKind, code: string, message: string, options: FallbackErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** The kind that an error of any origin declares, or undefined. */
export function kindOf(error: unknown): ErrorKind | undefined {
  const kind = (error as { kind?: unknown } | null | undefined)?.kind;
  return isErrorKind(kind) ? kind : undefined;
}

/** The `KF_…` code that an error of any origin declares, or undefined. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && code.startsWith('KF_') ? code : undefined;
}

/**
 * Any thrown value as a FallbackError. A declared kind and code are kept; a value without a kind becomes
 * `unavailable` with KF_PLUGIN_UNCLASSIFIED (design D3), so that nothing unknown is ever swallowed or trusted.
 *
 * @param during what was being done, for the message: "storage dr-site: get production/3.9.3/head.json"
 */
export function classify(error: unknown, during: string): FallbackError {
  if (error instanceof FallbackError) return error;
  const kind = kindOf(error);
  const message = error instanceof Error ? error.message : plainText(error);
  const { hint, retryAfterMs } = (error ?? {}) as { hint?: unknown; retryAfterMs?: unknown };
  const options = {
    cause: error,
    ...(typeof hint === 'string' && { hint }),
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 && { retryAfterMs }),
  };
  if (kind !== undefined) {
    return new FallbackError(
      kind,
      codeOf(error) ?? `KF_PLUGIN_${kind.toUpperCase()}`,
      `${during}: ${message}`,
      options,
    );
  }
  return new FallbackError('unavailable', 'KF_PLUGIN_UNCLASSIFIED', `${during}: ${message}`, options);
}

/** `String()` throws for an object without a prototype, and a plugin may throw anything. */
function plainText(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'something that is no error';
  }
}
