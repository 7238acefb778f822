import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PluginContext } from 'kongfallback/plugin';
import { answerError } from './errors.ts';
import type { VaultAuth } from './settings.ts';
import type { VaultClient } from './vault-client.ts';

export interface TokenSource {
  token(signal: AbortSignal): Promise<string>;
  /** Another one than the one that Vault refused; undefined: there is none. */
  renewed(refused: string, signal: AbortSignal): Promise<string | undefined>;
}

/** Tokens of HashiCorp have 100 bytes, JWTs of Kubernetes 1 to 2 KiB. */
const MAX_FILE_BYTES = 16_384;
const TOKEN = /^[\x21-\x7e]+$/;

/** A login is used up to this share of its lease. */
const LEASE_SHARE = 0.8;

export function tokenSource(auth: VaultAuth, client: VaultClient, context: PluginContext): TokenSource {
  if ('token' in auth) {
    const { token } = auth;
    return { token: async () => token, renewed: async () => undefined };
  }
  if ('tokenFile' in auth) return new TokenFile(auth.tokenFile, context);
  return new KubernetesLogin(auth.kubernetes, client, context);
}

class TokenFile implements TokenSource {
  readonly #path: string;
  readonly #context: PluginContext;
  #known: string | undefined;

  constructor(path: string, context: PluginContext) {
    this.#path = path;
    this.#context = context;
  }

  async token(): Promise<string> {
    this.#known ??= await readToken(this.#path, '`auth.tokenFile`', this.#context);
    return this.#known;
  }

  async renewed(refused: string): Promise<string | undefined> {
    this.#known = undefined;
    const now = await this.token();
    return now === refused ? undefined : now;
  }
}

interface KubernetesAuth {
  readonly role: string;
  readonly mount: string;
  readonly jwtFile: string;
}

class KubernetesLogin implements TokenSource {
  readonly #auth: KubernetesAuth;
  readonly #client: VaultClient;
  readonly #context: PluginContext;
  #login: { readonly token: string; readonly until: number } | undefined;

  constructor(auth: KubernetesAuth, client: VaultClient, context: PluginContext) {
    this.#auth = auth;
    this.#client = client;
    this.#context = context;
  }

  async token(signal: AbortSignal): Promise<string> {
    const login = this.#login;
    if (login !== undefined && this.#context.clock.monotonic() < login.until) return login.token;
    return this.#logIn(signal);
  }

  async renewed(refused: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#login?.token === refused) this.#login = undefined;
    return this.token(signal);
  }

  async #logIn(signal: AbortSignal): Promise<string> {
    const { role, mount, jwtFile } = this.#auth;
    const path = `auth/${mount}/login`;
    // Kubernetes renews the file; it is read for each login.
    const jwt = await readToken(jwtFile, '`auth.kubernetes.jwtFile`', this.#context);
    const askedAt = this.#context.clock.monotonic();
    const answer = await this.#client.post(path, { role, jwt }, undefined, signal);
    const { client_token: token, lease_duration: leaseSeconds } = answer.json;
    if (answer.status !== 200) {
      throw answerError(answer, { address: this.#client.address, path, what: 'login' }, this.#context);
    }
    if (typeof token !== 'string' || !TOKEN.test(token)) {
      throw this.#context.error('unavailable', `${this.#client.address}: ${path} gave no token`, {
        hint: 'Check that `address` is Vault or OpenBao.',
      });
    }
    const leaseMs = typeof leaseSeconds === 'number' && leaseSeconds > 0 ? leaseSeconds * 1000 : 0;
    this.#login = { token, until: askedAt + leaseMs * LEASE_SHARE };
    return token;
  }
}

/** One word in a file. What is in it never appears in an error. */
async function readToken(path: string, setting: string, context: PluginContext): Promise<string> {
  const full = resolve(context.baseDirectory, path);
  const hint = `${setting} must be a file that this process may read, and hold one token.`;
  const text = await readBounded(full).catch((cause: NodeJS.ErrnoException) => {
    throw context.error('denied', `${full} cannot be read (${cause.code ?? cause.message})`, { cause, hint });
  });
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  throw context.error('denied', `${full} does not hold a token`, { hint });
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
