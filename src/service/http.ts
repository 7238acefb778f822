// Health, metrics and status of a long-running process: a few small answers to GET, made when they are asked for.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FallbackError } from '../errors/index.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ServiceState } from '../observe/metrics-state.ts';
import type { Clock, Logger } from '../plugin/plugin.ts';
import { type Answer, fullStatus, health, ready } from './health.ts';

export interface HttpOptions {
  /** `host:port` (`service.listen`); port 0 takes any free one. */
  readonly listen: string;
  /** Of each role of the process, at least one; asked for each answer. */
  readonly states: () => readonly ServiceState[];
  readonly metrics: Metrics;
  readonly version: string;
  /** Blanks what must not leave the process. */
  readonly redact: (text: string) => string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface HttpService {
  /** `host:port` as it is listened on. */
  readonly address: string;
  close(): Promise<void>;
}

/** A monitor or two, a few probes: more at once is somebody else. */
const MOST_CONNECTIONS = 64;
const MOST_HEADER_BYTES = 8192;
/** To send a request in, milliseconds. */
const REQUEST_MS = 5000;
const IDLE_MS = 10_000;

/** @throws FallbackError KF_SERVICE_LISTEN: `unavailable` when the port is taken, `invalid` when it cannot be had */
export async function startHttp(options: HttpOptions): Promise<HttpService> {
  const { listen, log } = options;
  const server = createServer({
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: REQUEST_MS,
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('request', (request, response) => void answer(request, response, options));
  server.on('clientError', (_error, socket) => socket.destroy());
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(listen) ?? [];
  server.listen(Number(port), host.replace(/^\[|\]$/g, ''));
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw notListening(listen, cause);
  }
  const address = addressOf(server);
  log.info({ event: 'service.listening', address }, `health, metrics and status at http://${address}/status`);
  return {
    address,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
): Promise<void> {
  request.resume();
  const reply = await replyTo(request, options).catch((thrown: unknown) => {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    options.log.error({ event: 'service.answer-failed', url: request.url?.slice(0, 200) }, message);
    return json({ status: 500, body: { error: 'this answer could not be made; see the log' } });
  });
  const { status, contentType } = reply;
  const text = options.redact(reply.text);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What follows on the connection may be a body that nobody reads.
    ...(status === 405 && { allow: 'GET, HEAD', connection: 'close' }),
  });
  // Node leaves the body of an answer to HEAD out.
  response.end(text);
}

async function replyTo({ method, url = '' }: IncomingMessage, options: HttpOptions): Promise<Reply> {
  if (method !== 'GET' && method !== 'HEAD') {
    return json({ status: 405, body: { error: 'only GET is answered here' } });
  }
  const path = url.split('?', 1)[0] ?? '';
  if (path !== '/metrics') return json(answerTo(path, options));
  const { metrics, states, clock } = options;
  return { status: 200, contentType: metrics.contentType, text: await metrics.render(states(), clock.now()) };
}

function answerTo(path: string, { states, version }: HttpOptions): Answer {
  switch (path) {
    case '/health/live':
      // That this is answered is the answer.
      return { status: 200, body: { live: true } };
    case '/health/ready':
      return ready(states());
    case '/health':
      return health(states());
    case '/status':
      return fullStatus(states(), version);
    default:
      return {
        status: 404,
        body: {
          error: 'not here',
          paths: ['/health', '/health/live', '/health/ready', '/metrics', '/status'],
        },
      };
  }
}

const json = ({ status, body }: Answer): Reply => ({
  status,
  contentType: 'application/json',
  text: `${JSON.stringify(body)}\n`,
});

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function notListening(listen: string, cause: unknown): FallbackError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new FallbackError('unavailable', 'KF_SERVICE_LISTEN', `service.listen: ${listen} is in use`, {
      cause,
      hint: 'Another kongfallback runs here, or something else has this port: set service.listen to a free one, or to off.',
    });
  }
  return new FallbackError(
    'invalid',
    'KF_SERVICE_LISTEN',
    `service.listen: cannot listen on ${listen}: ${message}`,
    {
      cause,
      hint: 'Give an address of this machine and a port that this user may open: 127.0.0.1:8010.',
    },
  );
}
