import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { FallbackError } from '../../errors/index.ts';
import type { Logger } from '../../plugin/plugin.ts';
import type { Clock } from '../../resilience/index.ts';
import { KEEP_ALIVE_MS } from './limits.ts';
import { ListenerCount } from './listener-count.ts';

export interface ListenerOptions {
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  /** The setting that `listen` comes from, for errors. */
  readonly setting: string;
  /** More at once are closed as they come. */
  readonly maxConnections: number;
  /** Gets each socket paused, with no byte read; it is the receiver's from then on. */
  readonly onConnection: (socket: Socket) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A thousand data planes dial at once; the kernel lowers it to its own limit (net.core.somaxconn). */
const BACKLOG = 4096;

/** Takes TCP connections, and outlives whatever they do. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closed = new AbortController();
  readonly #notAccepted: ListenerCount;
  #acceptError: NodeJS.ErrnoException = new Error();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({
      pauseOnConnect: true,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    const { clock, listen, log, maxConnections } = options;
    const turnedAway = new ListenerCount(clock, this.#closed.signal, (count) =>
      log.warn(
        { event: 'relay.turned-away', listen, count, maxConnections },
        `connections turned away: ${count}; ${maxConnections} are open (relay.maxConnections)`,
      ),
    );
    this.#server.on('drop', () => turnedAway.add());
    // Out of file descriptors, mostly: libuv has then closed the connection that waited.
    this.#notAccepted = new ListenerCount(clock, this.#closed.signal, (count) => {
      const { code, message } = this.#acceptError;
      log.error(
        { event: 'relay.accept-failed', listen, code, count },
        `connections that could not be accepted: ${count} (${message}); raise the limit of open files`,
      );
    });
  }

  /** Open at this moment. */
  get connections(): number {
    return this.#sockets.size;
  }

  /**
   * @returns `host:port` as it is listened on
   * @throws FallbackError KF_RELAY_LISTEN: `unavailable` when the port is taken, `invalid` when it cannot be had
   */
  async start(): Promise<string> {
    const { listen, setting } = this.#options;
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(listen) ?? [];
    this.#server.listen({ port: Number(port), host: host.replace(/^\[|\]$/g, ''), backlog: BACKLOG });
    try {
      await once(this.#server, 'listening');
    } catch (cause) {
      throw notListening(listen, setting, cause);
    }
    this.#server.on('error', (error) => this.#onAcceptFailed(error));
    const { address, family, port: taken } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${taken}` : `${address}:${taken}`;
  }

  /** Whoever dials from now on is refused by the kernel; what is open stays. */
  stopAccepting(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Cuts what is still open, too. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.stopAccepting();
    const open = [...this.#sockets].map((socket) => once(socket, 'close'));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.allSettled(open);
  }

  #onConnection(socket: Socket): void {
    // Nobody may be listening yet when it fails, and the error would end the process.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    this.#options.onConnection(socket);
  }

  #onAcceptFailed(error: NodeJS.ErrnoException): void {
    this.#acceptError = error;
    this.#notAccepted.add();
  }
}

function notListening(listen: string, setting: string, cause: unknown): FallbackError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new FallbackError('unavailable', 'KF_RELAY_LISTEN', `${setting}: ${listen} is in use`, {
      cause,
      hint: `Another relay or a control plane runs here, or something else has this port: set ${setting} to a free one, and let data planes dial it (cluster_control_plane).`,
    });
  }
  return new FallbackError(
    'invalid',
    'KF_RELAY_LISTEN',
    `${setting}: cannot listen on ${listen}: ${message}`,
    {
      cause,
      hint: 'Give an address of this machine and a port that this user may open: 0.0.0.0:8005.',
    },
  );
}
