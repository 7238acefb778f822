import type { ErrorKind, PluginContext } from 'kongfallback/plugin';

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly kind?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly $response?: { readonly headers?: Readonly<Record<string, unknown>> };
}

interface Case {
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: string;
  readonly retryAfterMs?: number;
}

/** The server's own words, which somebody may read in a log. */
const MAX_CAUSE_LENGTH = 512;

/** "Try again" of AWS after two conditional writes at the same moment; it names no time. */
const CONFLICT_RETRY_MS = 200;

/** Cloudflare R2 takes one write per second and key, answers more with 429, and names no time. */
const TOO_MANY_RETRY_MS = 1_000;

/** As AWS and others spell the codes of their errors: NoSuchKey, XAmzContentSHA256Mismatch. */
const NAME = /^(?=.{1,64}$)[A-Z](?:SHA256|MD5|[A-Za-z])*$/;

/** The HTTP status that an error of the SDK carries; names are 'Unknown' for 304 and some 403. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as SdkError | null)?.$metadata?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

export function nameOf(error: unknown): string {
  const name = (error as SdkError | null)?.name;
  // It comes from the server, which was told a session token, and goes into logs: words pass, and nothing else.
  return typeof name === 'string' && NAME.test(name) ? name : '';
}

/** What the SDK throws, with the kind that status, error name or errno means; the text is never looked at. */
export function s3Error(context: PluginContext, error: unknown, bucket: string, signal: AbortSignal): Error {
  if ((error as SdkError | null)?.kind !== undefined) return error as Error;
  if (signal.aborted) {
    return context.error('aborted', 'stopped before it was done', { cause: spareCause(error) });
  }
  const status = statusOf(error);
  const found =
    named(nameOf(error), bucket) ?? (status === undefined ? network(error) : answered(status, error));
  return context.error(found.kind, `bucket ${bucket}: ${found.what} (${shown(error)})`, {
    cause: spareCause(error),
    hint: found.hint,
    ...(found.retryAfterMs !== undefined && { retryAfterMs: found.retryAfterMs }),
  });
}

/** What a socket or TLS ended in, before any answer. */
export function networkError(context: PluginContext, error: unknown, who: string): Error {
  const { kind, what, hint } = network(error);
  return context.error(kind, `${who}: ${what} (${shown(error)})`, { cause: spareCause(error), hint });
}

/**
 * The SDK's error without what hangs on it: its response leads to the request and the session token in its headers, and
 * SignatureDoesNotMatch repeats the signed text, where that token stands as well.
 */
export function spareCause(error: unknown): Error {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const spare = new Error(message.slice(0, MAX_CAUSE_LENGTH));
  spare.name = nameOf(error) || 'Error';
  spare.stack = `${spare.name}: ${spare.message}\n${framesOf(stack)}`;
  return spare;
}

const framesOf = (stack = ''): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');

/** Status, name and errno, as far as there are any. */
export const shown = (error: unknown): string =>
  [statusOf(error), nameOf(error), errnoOf(error)]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');

function named(name: string, bucket: string): Case | undefined {
  switch (name) {
    case 'NoSuchBucket':
      return {
        kind: 'denied',
        what: 'the bucket does not exist',
        hint: `Create ${bucket}, or correct \`bucket\`, \`region\` or \`endpoint\`.`,
      };
    case 'RequestTimeTooSkewed':
      // The SDK learns the server's time from this very answer, so the next request succeeds.
      return {
        kind: 'unavailable',
        what: "this machine's clock differs too much from the store's",
        hint: 'Synchronise the clock of this machine (NTP); requests are corrected by what the store answered.',
      };
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
    case 'RequestExpired':
      return {
        kind: 'denied',
        what: 'the credentials have expired',
        hint:
          'Renew them; a role, a web identity or a changed credentials file is taken up by itself, a session token ' +
          'in the settings or the environment is not.',
      };
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidToken':
      return {
        kind: 'denied',
        what: 'the credentials are wrong',
        hint: 'Check `accessKeyId` and `secretAccessKey`, or where the AWS SDK finds them in the environment.',
      };
    case 'PermanentRedirect':
    case 'TemporaryRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return {
        kind: 'denied',
        what: 'the bucket is in another region',
        hint: "Set `region` to the bucket's own.",
      };
    case 'RequestTimeout':
    case 'TimeoutError':
      return {
        kind: 'unavailable',
        what: 'no answer in time',
        hint: 'Check that the endpoint is right and reachable from here, and its load.',
      };
    default:
      return undefined;
  }
}

function answered(status: number, error: unknown): Case {
  switch (status) {
    case 401:
    case 403:
      return {
        kind: 'denied',
        what: 'access denied',
        hint:
          'Check the credentials and their policy. A reader needs s3:GetObject; without s3:ListBucket a missing ' +
          'object is answered with 403 as well, so it may also not be there.',
      };
    case 404:
      return { kind: 'denied', what: 'not found', hint: 'Check `endpoint` and `bucket`.' };
    case 301:
    case 307:
    case 308:
      return {
        kind: 'denied',
        what: 'redirected',
        hint: "Set `region` to the bucket's own, and `endpoint` to the server's final address.",
      };
    case 409:
      return {
        kind: 'unavailable',
        what: 'another write is under way, the store says try again',
        hint: 'This is done by itself; if it lasts, see that no other tool writes below this prefix.',
        retryAfterMs: CONFLICT_RETRY_MS,
      };
    case 412:
      return {
        kind: 'conflict',
        what: 'not written, the object is not what it was',
        hint: 'Another writer was faster; read the object again and decide.',
      };
    case 429:
      return {
        kind: 'unavailable',
        what: 'the store asks to slow down',
        hint:
          'It is tried again by itself; if it lasts, set `writeIntervalSeconds` to what the store allows for one key, ' +
          'or raise `export.delaySeconds`.',
        retryAfterMs: TOO_MANY_RETRY_MS,
        ...retryAfter(error),
      };
    case 405:
    case 501:
      return {
        kind: 'unsupported',
        what: 'the server does not know this request',
        hint: 'It is no full S3 server; use one that keeps conditional writes.',
      };
    case 413:
      return {
        kind: 'unsupported',
        what: 'the object is too large',
        hint: 'Raise the limit of the server or of the proxy before it.',
      };
    case 400:
      return {
        kind: 'unsupported',
        what: 'the server refused the request',
        hint: 'Try `checksums: when-required`, and see that `endpoint` is an S3 server and `region` is right.',
      };
    default:
      return {
        kind: 'unavailable',
        what: status === 503 ? 'the store asks to slow down' : 'the store failed',
        hint: 'It is tried again by itself; if it lasts, see the health of the store.',
        ...retryAfter(error),
      };
  }
}

function network(error: unknown): Case {
  const errno = errnoOf(error) ?? '';
  if (/CERT|SIGNATURE|TLS|SSL/.test(errno)) {
    return {
      kind: 'denied',
      what: "the server's certificate is not trusted",
      hint: 'Renew it, or trust its issuer with `caFile`; see that the address has the name it was issued for.',
    };
  }
  if (errno === 'ENOTFOUND' || errno === 'EAI_AGAIN') {
    return {
      kind: 'unavailable',
      what: 'the name is not resolved',
      hint: 'Check `endpoint`, `bucket`, `region` and DNS; servers without wildcard names need `forcePathStyle: true`.',
    };
  }
  return {
    kind: 'unavailable',
    what: 'no answer',
    hint: 'Check that the endpoint is right and reachable from here.',
  };
}

export function errnoOf(error: unknown): string | undefined {
  const code = (error as SdkError | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** `Retry-After` in its form of seconds; S3 sends no dates there. */
function retryAfter(error: unknown): { retryAfterMs?: number } {
  const header = (error as SdkError | null)?.$response?.headers?.['retry-after'];
  if (typeof header !== 'string' || !/^\d{1,6}$/.test(header)) return {};
  return { retryAfterMs: Number(header) * 1000 };
}
