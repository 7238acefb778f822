import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { PluginContext } from 'kongfallback/plugin';
import { bare, type Destination, type ProxyFor } from './proxy.ts';
import { openTunnel } from './tunnel.ts';

export interface LinesOptions {
  readonly proxyFor: ProxyFor;
  /** Trusted instead of the public CAs. */
  readonly ca?: string;
  /** Until a tunnel stands, and until a TLS handshake is done. The SDK ends plain connections itself. */
  readonly connectTimeoutMs: number;
  readonly context: PluginContext;
}

type Done = (error: Error | null, socket: Duplex) => void;

/** What the two agents have in common: tunnels through a proxy, and connecting that ends in time. */
export class Lines {
  readonly #options: LinesOptions;
  /** Connections that are being made; a listener each on one signal would be too many for Node's taste. */
  readonly #pending = new Set<AbortController>();

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  /** A tunnel, given to `done`; false where the way is direct and the caller connects by itself. */
  tunnel(secure: boolean, target: Target, done: Done, wrap: (socket: Socket) => Duplex): boolean {
    const to = destination(secure, target);
    const fail = (error: unknown) => done(error as Error, undefined as never);
    let proxy: ReturnType<ProxyFor>;
    try {
      proxy = this.#options.proxyFor(to);
    } catch (error) {
      // Not at once: the agent is in the middle of making the request.
      queueMicrotask(() => fail(error));
      return true;
    }
    if (proxy === undefined) return false;
    const { ca, context } = this.#options;
    const what = `proxy ${proxy.host}:${proxy.port}: no tunnel to ${to.host}:${to.port}`;
    const limit = this.#limit(what);
    openTunnel(proxy, to, { ...(ca && { ca }), context, signal: limit.signal })
      .finally(limit.over)
      .then((socket) => done(null, wrap(socket)))
      .catch(fail);
    return true;
  }

  /** Ends a handshake that takes too long: a server that accepts and is silent looks connected to everybody else. */
  handshake(socket: TLSSocket, target: Target): TLSSocket {
    const { host, port } = destination(true, target);
    const limit = this.#limit(`no TLS with ${host}:${port}`);
    limit.signal.addEventListener('abort', () => socket.destroy(limit.signal.reason));
    socket.once('secureConnect', limit.over);
    socket.once('close', limit.over);
    return socket;
  }

  close(): void {
    for (const pending of this.#pending) {
      pending.abort(this.#options.context.error('aborted', 'the store was closed'));
    }
  }

  #limit(what: string): { readonly signal: AbortSignal; readonly over: () => void } {
    const { connectTimeoutMs, context } = this.#options;
    const limit = new AbortController();
    const timer = new AbortController();
    const over = () => {
      this.#pending.delete(limit);
      timer.abort();
    };
    this.#pending.add(limit);
    context.clock.sleep(connectTimeoutMs, timer.signal).then(
      () =>
        limit.abort(
          context.error('unavailable', `${what} within ${connectTimeoutMs} ms`, {
            hint: 'Check that the address is right and reachable from here, and that it speaks TLS; or raise `connectTimeoutSeconds`.',
          }),
        ),
      () => {},
    );
    return { signal: limit.signal, over };
  }
}

export interface Target {
  readonly host?: string | null | undefined;
  readonly port?: string | number | null | undefined;
}

const destination = (secure: boolean, { host, port }: Target): Destination => ({
  secure,
  host: bare(host ?? ''),
  port: Number(port ?? (secure ? 443 : 80)),
});
