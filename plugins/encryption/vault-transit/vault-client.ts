import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import type { PluginContext } from 'kongfallback/plugin';
import { connectionError } from './errors.ts';
import type { VaultAnswer } from './vault-answer.ts';

export interface VaultServer {
  readonly address: string;
  readonly namespace: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
  /** Milliseconds for a request, its connection included. */
  readonly deadlineMs: number;
}

/** Answers are a few hundred bytes. */
const MAX_ANSWER_BYTES = 65_536;
const MAX_SHOWN = 256;

/** POST over node:http, a connection for each request: there is one in minutes. */
export class VaultClient {
  readonly address: string;
  readonly #server: VaultServer;
  readonly #context: PluginContext;

  constructor(server: VaultServer, context: PluginContext) {
    this.address = server.address.replace(/\/+$/, '');
    this.#server = server;
    this.#context = context;
  }

  /**
   * @param path below `/v1/`
   * @throws kind `unavailable`, `denied` (certificate), `aborted`; an answer of any status is returned
   */
  async post(
    path: string,
    body: object,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<VaultAnswer> {
    const { deadlineMs } = this.#server;
    const [own, timer] = [new AbortController(), new AbortController()];
    const stop = () => own.abort(this.#context.error('aborted', 'stopped before Vault answered'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const late = this.#context.error(
      'unavailable',
      `${this.address} gave no answer within ${deadlineMs} ms`,
      {
        hint: 'Check that Vault is reachable from here, and its load.',
      },
    );
    this.#context.clock.sleep(deadlineMs, timer.signal).then(
      () => own.abort(late),
      () => {},
    );
    try {
      const answer = await this.#send(path, body, token, own.signal);
      return { ...answer, errors: masked(answer.errors, [token, ...Object.values(body)]) };
    } catch (error) {
      throw connectionError(error, this.address, this.#context);
    } finally {
      timer.abort();
      signal.removeEventListener('abort', stop);
    }
  }

  async #send(
    path: string,
    body: object,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<VaultAnswer> {
    const { namespace, ca } = this.#server;
    const url = new URL(`${this.address}/v1/${path}`);
    const text = JSON.stringify(body);
    const request = (url.protocol === 'https:' ? overHttps : overHttp)(url, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        // Vault Agent and proxies demand it; it keeps forged browser requests out.
        'x-vault-request': 'true',
        ...(token !== undefined && { 'x-vault-token': token }),
        ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
      },
      ...(ca !== undefined && { ca }),
    });
    const stop = () => request.destroy(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<VaultAnswer>((resolve, reject) => {
        request.on('error', reject);
        request.once('response', (response) => {
          read(response).then(resolve, reject);
        });
        request.end(text);
      });
    } finally {
      signal.removeEventListener('abort', stop);
      request.destroy();
    }
  }
}

async function read(response: IncomingMessage): Promise<VaultAnswer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > MAX_ANSWER_BYTES) break;
  }
  const parsed = record(parse(Buffer.concat(pieces).toString('utf8')));
  const { errors } = parsed;
  const { statusCode: status = 0, headers } = response;
  return {
    status,
    json: { ...record(parsed['data']), ...record(parsed['auth']) },
    errors: Array.isArray(errors) ? shown(errors) : '',
    retryAfter: headers['retry-after'],
  };
}

/** Somebody between us and Vault might repeat what it was sent. */
const masked = (text: string, secrets: readonly unknown[]): string =>
  secrets
    .reduce<string>(
      (shown, secret) =>
        typeof secret === 'string' && secret.length > 7 ? shown.replaceAll(secret, '***') : shown,
      text,
    )
    .slice(0, MAX_SHOWN);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** It comes from the server and goes into logs and terminals. */
const shown = (errors: readonly unknown[]): string =>
  errors
    .filter((error) => typeof error === 'string')
    .join('; ')
    .replace(/[^\x20-\x7e]+/g, ' ');
