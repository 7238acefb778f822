import type { PluginContext } from 'kongfallback/plugin';
import type { VaultAnswer } from './vault-answer.ts';

const UNTRUSTED = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Vault's rate limit quotas say how long; a sealed or standby node does not. */
const RETRY_MS = { usual: 1000, most: 60_000 };

/** What ends a connection. An error that has a kind already (a deadline, the caller's signal) passes as it is. */
export function connectionError(error: unknown, address: string, context: PluginContext): unknown {
  if ((error as { kind?: unknown } | null)?.kind !== undefined) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (UNTRUSTED.test(code)) {
    return context.error('denied', `${address} is not trusted: ${message}`, {
      cause: error,
      hint: 'Set `caFile` to the PEM file of the CA that issued its certificate; see that `address` has the name in it.',
    });
  }
  return context.error('unavailable', `${address} cannot be reached: ${message || code}`, {
    cause: error,
    hint: 'Is Vault running, and reachable from here?',
  });
}

export interface Refused {
  readonly address: string;
  /** Of the request, below /v1/. */
  readonly path: string;
  readonly what: 'encrypt' | 'decrypt' | 'login';
}

/** What an answer other than 200 means: https://developer.hashicorp.com/vault/api-docs#http-status-codes */
export function answerError(
  answer: VaultAnswer,
  { address, path, what }: Refused,
  context: PluginContext,
): Error {
  const { status, errors } = answer;
  const told = `${address}: ${path} was answered ${status}${errors && ` (${errors})`}`;
  switch (status) {
    case 400:
      return badRequest(told, errors, what, context);
    case 401:
    case 403:
      return context.error('denied', told, {
        hint:
          what === 'login'
            ? 'Check `role`, and that it is bound to this service account and namespace of Kubernetes.'
            : `The token needs a policy with update on ${path}; it may also have expired, or belong to another namespace.`,
      });
    case 404:
      return context.error('invalid', told, {
        hint:
          what === 'login'
            ? 'Check `auth.kubernetes.mount` and `namespace`: vault auth list.'
            : 'Check `mount`, `key` and `namespace`: vault secrets list, vault list <mount>/keys.',
      });
    case 307:
      return context.error('unavailable', told, {
        hint: 'This is a standby node that sends clients elsewhere: set `address` to the active node or its load balancer.',
      });
    case 429:
    case 472:
    case 473:
      return context.error('unavailable', told, {
        hint: 'A rate limit quota, or a standby node; it is tried again by itself. If it lasts, see vault status.',
        retryAfterMs: retryAfterMs(answer),
      });
    case 503:
      return context.error('unavailable', told, {
        hint: /sealed/.test(errors)
          ? 'Vault is sealed: unseal it (vault operator unseal).'
          : 'Vault is sealed or in maintenance: see vault status.',
        retryAfterMs: retryAfterMs(answer),
      });
    default:
      return context.error(status >= 500 || status === 412 ? 'unavailable' : 'invalid', told, {
        hint: status >= 500 ? 'See the log of Vault.' : 'Check that `address` is Vault or OpenBao.',
        ...(status >= 500 && { retryAfterMs: retryAfterMs(answer) }),
      });
  }
}

/** Vault has one status for a bad key, a bad request and a bad ciphertext; its words alone tell them apart. */
function badRequest(told: string, errors: string, what: Refused['what'], context: PluginContext): Error {
  if (/key not found|no existing key|unknown key/i.test(errors)) {
    return context.error(what === 'encrypt' ? 'invalid' : 'denied', told, {
      hint: 'Create the key (vault write -f <mount>/keys/<key>), or correct `key` and `mount`.',
    });
  }
  if (/disallowed by policy|too old|min.?decryption/i.test(errors)) {
    return context.error('denied', told, {
      hint: "This version of the key was retired: lower the key's min_decryption_version until everything is sealed anew.",
    });
  }
  if (what === 'decrypt') {
    return context.error('corrupt', told, {
      hint: 'The data key was altered, wrapped for another snapshot, or by a key of the same name that was deleted since.',
    });
  }
  return context.error('invalid', told, {
    hint:
      what === 'login'
        ? 'Check `auth.kubernetes`: its role and mount.'
        : 'The key needs a type with associated data: aes256-gcm96, aes128-gcm96 or chacha20-poly1305, neither derived nor convergent.',
  });
}

function retryAfterMs({ retryAfter }: VaultAnswer): number {
  const seconds = Number(retryAfter);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, RETRY_MS.most) : RETRY_MS.usual;
}
