import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { Lines, type LinesOptions } from './lines.ts';

/** As the SDK's own. */
const POOL = { keepAlive: true, maxSockets: 50 };

type Done = (error: Error | null, socket: Duplex) => void;

/** Connections that are kept and used again, to the store and to whoever gives the SDK its credentials. */
export function makeAgents(options: LinesOptions): { httpAgent: http.Agent; httpsAgent: https.Agent } {
  const lines = new Lines(options);
  const { ca } = options;
  return {
    httpAgent: new PlainAgent(lines),
    httpsAgent: new TlsAgent(lines, ca),
  };
}

class PlainAgent extends http.Agent {
  readonly #lines: Lines;

  constructor(lines: Lines) {
    super(POOL);
    this.#lines = lines;
  }

  override createConnection(options: http.ClientRequestArgs, done: Done = () => {}) {
    if (this.#lines.tunnel(false, options, done, (socket) => socket)) return undefined;
    return super.createConnection(options);
  }

  override destroy(): void {
    this.#lines.close();
    super.destroy();
  }
}

class TlsAgent extends https.Agent {
  readonly #lines: Lines;
  readonly #ca: string | undefined;
  /** Made once: with all public CAs it takes 20 ms. */
  #trust: SecureContext | undefined;

  constructor(lines: Lines, ca: string | undefined) {
    super(POOL);
    this.#lines = lines;
    this.#ca = ca;
  }

  override createConnection(options: https.RequestOptions, done: Done = () => {}) {
    if (this.#ca !== undefined) this.#trust ??= createSecureContext({ ca: this.#ca });
    const trust = this.#trust === undefined ? {} : { secureContext: this.#trust };
    const connect = (over: object): Duplex =>
      this.#lines.handshake(super.createConnection({ ...options, ...trust, ...over }) as TLSSocket, options);
    if (this.#lines.tunnel(true, options, done, (socket) => connect({ socket }))) return undefined;
    return connect({});
  }

  override destroy(): void {
    this.#lines.close();
    super.destroy();
  }
}
