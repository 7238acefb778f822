import { type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import type { ByteStream, PluginContext } from 'kongfallback/plugin';
import type { AdminAnswer } from './admin-answer.ts';
import { connectionError } from './errors.ts';

export interface AdminApi {
  readonly url: string;
  readonly token: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
}

export interface AdminCall {
  /** Milliseconds for all of it. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Errors of a large configuration, each with the entity it is about. */
const MOST_ANSWER_BYTES = 1024 * 1024;
/** How long to wait to be told to go on before sending a body; curl takes as long. */
const CONTINUE_MS = 1000;

/** One node's Admin API over node:http, a connection for each call. */
export class AdminClient {
  readonly url: string;
  readonly #api: AdminApi;
  readonly #context: PluginContext;

  constructor(api: AdminApi, context: PluginContext) {
    this.url = api.url.replace(/\/+$/, '');
    this.#api = api;
    this.#context = context;
  }

  get(path: string, call: AdminCall): Promise<AdminAnswer> {
    return this.#within(call, async (signal) => {
      const { request, answer } = this.#request('GET', path, {}, signal, true);
      request.end();
      return answer;
    });
  }

  /** @throws what the body throws; then the node has not got it whole and drops what it has */
  post(path: string, body: ByteStream, length: number, call: AdminCall): Promise<AdminAnswer> {
    return this.#within(call, async (signal) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': length,
        // A body above the limit is refused before it is sent, and not by a cut connection in the middle.
        expect: '100-continue',
      };
      const { request, answer } = this.#request('POST', path, headers, signal, false);
      const waiting = new AbortController();
      let answered = false;
      const done = answer.finally(() => {
        answered = true;
        waiting.abort();
      });
      done.catch(() => {});
      request.once('continue', () => waiting.abort());
      await this.#context.clock.sleep(CONTINUE_MS, waiting.signal).catch(() => {});
      if (answered) return done;
      try {
        for await (const piece of body) {
          if (answered) break;
          if (!request.write(piece)) await drained(request, done);
        }
      } catch (error) {
        request.destroy();
        throw error;
      }
      if (!answered) request.end();
      return done;
    });
  }

  /** @param whole also the body of an answer that says success */
  #request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
    whole: boolean,
  ): { readonly request: ClientRequest; readonly answer: Promise<AdminAnswer> } {
    const { token, ca } = this.#api;
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
      // Stays for good: an error may follow the answer, when the node closes while a body is being sent.
      request.on('error', reject);
      request.once('response', (response) => {
        read(response, whole).then(resolve, reject);
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
    const stop = () => own.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const late = this.#context.error('unavailable', `${this.url} gave no answer within ${deadlineMs} ms`, {
      hint: 'Look at the error log of the node; a large configuration takes longer to load (loadSeconds).',
    });
    this.#context.clock.sleep(deadlineMs, timer.signal).then(
      () => own.abort(late),
      () => {},
    );
    try {
      return await work(own.signal);
    } catch (error) {
      throw connectionError(error, this.url, this.#context);
    } finally {
      timer.abort();
      signal.removeEventListener('abort', stop);
    }
  }
}

async function read(response: IncomingMessage, whole: boolean): Promise<AdminAnswer> {
  const { statusCode: status = 0, headers } = response;
  const answer = { status, retryAfter: headers['retry-after'] };
  if (!whole && status < 300) return { ...answer, text: '' };
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > MOST_ANSWER_BYTES) break;
  }
  return { ...answer, text: Buffer.concat(pieces).toString('utf8') };
}

/** Until more fits, or there is an answer already; rejects when the connection is lost. */
function drained(request: ClientRequest, answer: Promise<unknown>): Promise<unknown> {
  return Promise.race([new Promise<void>((resolve) => request.once('drain', resolve)), answer]);
}
