import type { PluginContext } from 'kongfallback/plugin';
import type { AdminAnswer } from './admin-answer.ts';
import { refusalText } from './refusal.ts';

const UNTRUSTED = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** What ends a connection. Errors that already have a kind (corrupt bytes from the stream, a deadline) pass as they are. */
export function connectionError(error: unknown, url: string, context: PluginContext): unknown {
  if ((error as { kind?: unknown } | null)?.kind !== undefined) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (UNTRUSTED.test(code)) {
    return context.error('denied', `${url} is not trusted: ${message}`, {
      cause: error,
      hint: 'Set ca to the PEM file of the CA that issued the certificate of admin_listen.',
    });
  }
  return context.error('unavailable', `${url} cannot be reached: ${message || code}`, {
    cause: error,
    hint: 'Is the node running, is this its admin_listen, and is it DB-less? A data plane has no Admin API.',
  });
}

/** @param length of the document, bytes */
export function refused(
  { status, retryAfter, text }: AdminAnswer,
  url: string,
  length: number,
  context: PluginContext,
): Error {
  const told = `${url} answered ${status}`;
  switch (status) {
    case 400:
      return /not to use a database|configured to not use a database/.test(text)
        ? context.error('invalid', `${told}: the node uses a database`, {
            hint: 'POST /config is for DB-less nodes (database = off); a data plane takes target file.',
          })
        : context.error('unsupported', `the node refused the configuration: ${refusalText(text)}`, {
            hint: 'It was exported for another version, or the node lacks a plugin that it uses. An older snapshot is tried.',
          });
    case 401:
    case 403:
      return context.error('denied', `${told}: it does not let us in`, {
        hint: 'Set token to an RBAC token that may POST /config, and check what stands before the Admin API.',
      });
    case 404:
    case 405:
      return context.error('invalid', `${told}: it is not an Admin API`, {
        hint: 'url is admin_listen of the node (port 8001 or 8444), not its proxy; a data plane has none.',
      });
    case 413:
      return text.trimStart().startsWith('{')
        ? context.error('invalid', `${told}: its LMDB is full`, {
            hint: 'Raise lmdb_map_size of the node.',
          })
        : context.error(
            'invalid',
            `${told}: its limit for bodies is below the ${length} bytes of this document`,
            {
              hint: `Set nginx_admin_client_max_body_size and nginx_admin_client_body_buffer_size of the node to ${mebibytes(length)}m (KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE).`,
            },
          );
    case 429:
      return context.error('unavailable', `${told}: it is loading another configuration`, {
        hint: 'Try again when it is done, which takes less than a minute.',
        retryAfterMs: retryAfterMs(retryAfter),
      });
    default:
      return context.error('unavailable', told, {
        hint: 'Look at the error log of the node; try again when it is up.',
      });
  }
}

/** Kong says 10 s at most. */
function retryAfterMs(value: string | undefined): number {
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1000 : 10_000;
}

/** With room to grow. */
const mebibytes = (bytes: number): number => Math.max(20, Math.ceil((bytes * 1.5) / 2 ** 20));
