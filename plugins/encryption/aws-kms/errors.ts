import type { ErrorKind, PluginContext } from 'kongfallback/plugin';

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly $response?: { readonly headers?: Readonly<Record<string, unknown>> };
}

export interface KmsRequest {
  readonly what: 'encrypt' | 'decrypt';
  readonly keyId: string;
  readonly signal: AbortSignal;
}

interface Case {
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: string;
  readonly retryAfterMs?: number;
}

/** As AWS spells the names of its errors: ThrottlingException, KMSInvalidStateException. */
const NAME = /^[A-Z][A-Za-z]{0,63}$/;

/** KMS counts requests by the second and names no time. */
const THROTTLED_RETRY_MS = 1000;

/** The service's own words, which somebody may read in a log. */
const MAX_CAUSE_LENGTH = 512;

export function nameOf(error: unknown): string {
  const name = (error as SdkError | null)?.name;
  // It comes from the server, which was told a session token, and goes into logs: words pass, and nothing else.
  return typeof name === 'string' && NAME.test(name) ? name : '';
}

/** Credentials that a fresh look may replace. */
export const isStaleCredentials = (error: unknown): boolean =>
  /^(ExpiredToken(Exception)?|UnrecognizedClientException|InvalidClientTokenId|CredentialsProviderError|TokenProviderError)$/.test(
    nameOf(error),
  );

/** What the SDK throws, with the kind that error name, status or errno means; the text is never looked at. */
export function kmsError(context: PluginContext, error: unknown, request: KmsRequest): Error {
  const { what, keyId, signal } = request;
  const cause = spareCause(error);
  if (signal.aborted) return context.error('aborted', `stopped while KMS was to ${what}`, { cause });
  const status = statusOf(error);
  const found =
    named(nameOf(error), request) ?? (status === undefined ? network(error) : answered(status, request));
  const shown = [status, nameOf(error), errnoOf(error)]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
  return context.error(found.kind, `${what} with key ${keyId}: ${found.what} (${shown})`, {
    cause,
    hint: found.hint,
    ...(found.retryAfterMs !== undefined && { retryAfterMs: found.retryAfterMs }),
  });
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html, API_Encrypt.html and CommonErrors.html */
function named(name: string, { what, keyId }: KmsRequest): Case | undefined {
  switch (name) {
    case 'AccessDeniedException':
    case 'AccessDenied':
    case 'NotAuthorized':
    case 'OptInRequired':
      return {
        kind: 'denied',
        what: 'access denied',
        hint: `Allow kms:${what === 'encrypt' ? 'Encrypt' : 'Decrypt'} on this key, in the policy of the role and in that of the key.`,
      };
    case 'ExpiredTokenException':
    case 'ExpiredToken':
    case 'RequestExpired':
      return {
        kind: 'denied',
        what: 'the credentials have expired',
        hint: 'Renew them; a role, a web identity or a changed credentials file is taken up by itself, a session token in the settings is not.',
      };
    case 'UnrecognizedClientException':
    case 'InvalidClientTokenId':
    case 'InvalidSignatureException':
    case 'SignatureDoesNotMatch':
    case 'IncompleteSignature':
    case 'IncompleteSignatureException':
    case 'MissingAuthenticationToken':
    case 'MissingAuthenticationTokenException':
      return {
        kind: 'denied',
        what: 'the credentials are wrong',
        hint: 'Check `accessKeyId` and `secretAccessKey`, or where the AWS SDK finds them in the environment, and the clock of this machine.',
      };
    case 'CredentialsProviderError':
    case 'TokenProviderError':
      return {
        kind: 'denied',
        what: 'no credentials found',
        hint: 'Set `accessKeyId` and `secretAccessKey`, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine or pod a role.',
      };
    case 'InvalidCiphertextException':
      return {
        kind: 'corrupt',
        what: 'the data key does not authenticate',
        hint: 'It was altered, or it was wrapped for another snapshot.',
      };
    case 'IncorrectKeyException':
      return {
        kind: 'corrupt',
        what: 'the data key was wrapped by another key than the snapshot says',
        hint: 'It was altered; see who else writes to this storage.',
      };
    case 'NotFoundException':
      return {
        kind: what === 'encrypt' ? 'invalid' : 'denied',
        what: 'the key does not exist',
        hint: `Check ${keyId} and \`region\`: a key id or alias of another account or region needs the whole ARN.`,
      };
    case 'DisabledException':
      return {
        kind: 'denied',
        what: 'the key is disabled',
        hint: `Enable it: aws kms enable-key --key-id ${keyId}`,
      };
    case 'KMSInvalidStateException':
      return {
        kind: 'denied',
        what: 'the key is in a state that does not allow this',
        hint: 'It may be pending deletion: aws kms cancel-key-deletion, then enable-key. See aws kms describe-key.',
      };
    case 'InvalidKeyUsageException':
    case 'UnsupportedOperationException':
      return {
        kind: 'invalid',
        what: 'this is not a symmetric key for encryption',
        hint: 'Create one with key spec SYMMETRIC_DEFAULT and key usage ENCRYPT_DECRYPT.',
      };
    case 'InvalidArnException':
    case 'ValidationException':
    case 'InvalidGrantTokenException':
      return { kind: 'invalid', what: 'KMS refuses the request', hint: 'Check `keyId` and `formerKeyIds`.' };
    case 'ThrottlingException':
    case 'Throttling':
    case 'RequestLimitExceeded':
    case 'LimitExceededException':
    case 'TooManyRequestsException':
      return {
        kind: 'unavailable',
        what: 'KMS asks to slow down',
        hint: 'It is tried again by itself; if it lasts, look for who uses up the quota of requests of this account.',
        retryAfterMs: THROTTLED_RETRY_MS,
      };
    case 'KeyUnavailableException':
    case 'DependencyTimeoutException':
    case 'KMSInternalException':
    case 'ServiceUnavailable':
    case 'ServiceUnavailableException':
    case 'InternalFailure':
      return {
        kind: 'unavailable',
        what: 'KMS failed',
        hint: 'It is tried again by itself; see the health of KMS in this region.',
        retryAfterMs: THROTTLED_RETRY_MS,
      };
    case 'TimeoutError':
    case 'RequestTimeout':
      return {
        kind: 'unavailable',
        what: 'no answer in time',
        hint: 'Check that KMS is reachable from here: region, VPC endpoint, and its security group.',
      };
    default:
      return undefined;
  }
}

function answered(status: number, { what }: KmsRequest): Case {
  if (status === 429 || status >= 500) {
    return {
      kind: 'unavailable',
      what: 'KMS failed',
      hint: 'It is tried again by itself; see the health of KMS in this region.',
      retryAfterMs: THROTTLED_RETRY_MS,
    };
  }
  if (status === 401 || status === 403) {
    return {
      kind: 'denied',
      what: 'access denied',
      hint: `Check the credentials, and that they may kms:${what === 'encrypt' ? 'Encrypt' : 'Decrypt'}.`,
    };
  }
  return {
    kind: 'invalid',
    what: 'KMS refuses the request',
    hint: 'Check `keyId`, `region` and `endpoint`.',
  };
}

function network(error: unknown): Case {
  const errno = errnoOf(error) ?? '';
  if (/CERT|SIGNATURE|TLS|SSL/.test(errno)) {
    return {
      kind: 'denied',
      what: "the server's certificate is not trusted",
      hint: 'Trust its issuer with `caFile`; see that `endpoint` has the name it was issued for.',
    };
  }
  return {
    kind: 'unavailable',
    what: errno === 'ENOTFOUND' || errno === 'EAI_AGAIN' ? 'the name is not resolved' : 'no answer',
    hint: 'Check `region` and `endpoint`, and that KMS is reachable from here: VPC endpoint, security group, DNS.',
  };
}

function statusOf(error: unknown): number | undefined {
  const status = (error as SdkError | null)?.$metadata?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

function errnoOf(error: unknown): string | undefined {
  const code = (error as SdkError | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Without what hangs on it: the SDK's error leads to the request, and so to the session token in its headers. */
function spareCause(error: unknown): Error {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const spare = new Error(message.slice(0, MAX_CAUSE_LENGTH));
  spare.name = nameOf(error) || 'Error';
  return spare;
}
