import { type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import type { PluginContext } from 'kongfallback/plugin';

export interface AdminAddress {
  readonly url: string;
  readonly token: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
}

export interface AdminAnswer {
  readonly status: number;
  /** At most 8 MiB of it; empty where a load succeeded, whose answer repeats the whole configuration. */
  readonly text: string;
}

export interface AdminCall {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Errors of a large configuration, each with the entity it is about. */
const MOST_ANSWER_BYTES = 8 * 1024 * 1024;
/** How long to wait to be told to go on before sending a body; curl takes as long. */
const CONTINUE_MS = 1000;

/** One gateway's Admin API over node:http, a connection for each call. */
export class AdminApi {
  readonly url: string;
  readonly #address: AdminAddress;
  readonly #context: PluginContext;

  constructor(address: AdminAddress, context: PluginContext) {
    this.url = address.url.replace(/\/+$/, '');
    this.#address = address;
    this.#context = context;
  }

  /** @throws kind `unavailable`, `aborted` */
  get(path: string, call: AdminCall): Promise<AdminAnswer> {
    return this.#within(call, (signal) => {
      const { request, answer } = this.#request('GET', path, {}, signal);
      request.end();
      return answer;
    });
  }

  /** @throws kind `unavailable`, `aborted` */
  post(path: string, body: Uint8Array, call: AdminCall): Promise<AdminAnswer> {
    return this.#within(call, async (signal) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': body.length,
        // A body above the limit is refused before it is sent, and not by a cut connection in the middle.
        expect: '100-continue',
      };
      const { request, answer } = this.#request('POST', path, headers, signal);
      const waiting = new AbortController();
      let answered = false;
      const done = answer.finally(() => {
        answered = true;
        waiting.abort();
      });
      done.catch(() => {});
      request.once('continue', () => waiting.abort());
      await this.#context.clock.sleep(CONTINUE_MS, waiting.signal).catch(() => {});
      if (!answered) request.end(body);
      return done;
    });
  }

  #request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): { readonly request: ClientRequest; readonly answer: Promise<AdminAnswer> } {
    const { ca, token } = this.#address;
    const url = new URL(`${this.url}${path}`);
    const send = url.protocol === 'https:' ? overHttps : overHttp;
    const request = send(url, {
      method,
      agent: false,
      headers: { accept: 'application/json', ...(token && { 'kong-admin-token': token }), ...headers },
      ...(ca !== undefined && { ca }),
    });
    const stop = () => request.destroy(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const answer = new Promise<AdminAnswer>((resolve, reject) => {
      // Stays for good: an error may follow the answer, when the gateway closes while a body is being sent.
      request.on('error', reject);
      request.once('response', (response) => {
        read(response, method === 'GET').then(resolve, reject);
      });
    }).finally(() => {
      signal.removeEventListener('abort', stop);
      request.destroy();
    });
    return { request, answer };
  }

  async #within(
    { deadlineMs, signal }: AdminCall,
    work: (signal: AbortSignal) => Promise<AdminAnswer>,
  ): Promise<AdminAnswer> {
    const [own, timer] = [new AbortController(), new AbortController()];
    const stop = () => own.abort(new Error('stopped'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    this.#context.clock.sleep(deadlineMs, timer.signal).then(
      () => own.abort(new Error(`no answer within ${deadlineMs / 1000} s`)),
      () => {},
    );
    try {
      return await work(own.signal);
    } catch (cause) {
      if (signal.aborted)
        throw this.#context.error('aborted', 'stopped before the gateway had answered', { cause });
      const { code, message } = cause as NodeJS.ErrnoException;
      throw this.#context.error('unavailable', message || String(code), { cause });
    } finally {
      timer.abort();
      signal.removeEventListener('abort', stop);
    }
  }
}

async function read(response: IncomingMessage, whole: boolean): Promise<AdminAnswer> {
  const { statusCode: status = 0 } = response;
  if (!whole && status < 300) return { status, text: '' };
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > MOST_ANSWER_BYTES) break;
  }
  return { status, text: Buffer.concat(pieces).subarray(0, MOST_ANSWER_BYTES).toString('utf8') };
}
