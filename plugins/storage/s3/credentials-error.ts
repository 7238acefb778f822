import type { PluginContext } from 'kongfallback/plugin';
import { errnoOf, nameOf, shown, spareCause, statusOf } from './errors.ts';

/** Why there are no credentials: nobody has any, somebody refuses them, or somebody does not answer. */
export function credentialsError(context: PluginContext, error: unknown, signal: AbortSignal): Error {
  // A proxy's own words.
  if ((error as { kind?: unknown } | null)?.kind !== undefined && !signal.aborted) return error as Error;
  if (signal.aborted)
    return context.error('aborted', 'stopped while waiting for credentials', { cause: spareCause(error) });
  const name = nameOf(error);
  const status = statusOf(error);
  const errno = errnoOf(error);
  const message = (what: string) => `${what} (${shown(error)})`;
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return context.error('denied', message('no credentials found'), {
      cause: spareCause(error),
      hint:
        'Set `accessKeyId` and `secretAccessKey`, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this ' +
        'machine or pod a role; see that AWS_PROFILE names a profile that exists.',
    });
  }
  if (status !== undefined && status >= 400 && status < 500 && status !== 429) {
    return context.error('denied', message('the role is refused'), {
      cause: spareCause(error),
      hint: 'Check AWS_ROLE_ARN, its trust policy, and that AWS_WEB_IDENTITY_TOKEN_FILE holds a token that has not expired.',
    });
  }
  if (errno === 'ENOENT' || errno === 'EACCES' || errno === 'EISDIR') {
    return context.error('denied', message('a file of the credentials cannot be read'), {
      cause: spareCause(error),
      hint: 'Check AWS_WEB_IDENTITY_TOKEN_FILE, AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, and who may read them.',
    });
  }
  return context.error('unavailable', message('whoever gives the credentials does not answer'), {
    cause: spareCause(error),
    hint:
      'Check that STS, the Pod Identity agent or the instance metadata is reachable from here, and what `proxy` or ' +
      'HTTPS_PROXY stands between.',
  });
}
