import type { TLSSocket } from 'node:tls';
import type WebSocket from 'ws';
import type { Clock } from '../../plugin/plugin.ts';
import { frameHeader } from '../copy/frame-header.ts';
import { FrameWriter } from './frame-writer.ts';
import type { StandInLimits } from './limits.ts';

export const RPC_SUBPROTOCOL = 'kong.meta.v1';

const MAX_ID_CHARACTERS = 64;
const MAX_MESSAGES = 1000;
const LINGER_MS = 1000;

/**
 * Greets a data plane on `/v2/outlet` and offers it nothing: one of 3.10 or later then takes its configuration from
 * `/v1/outlet`, which it never tries while this greeting fails.
 */
export class RpcSession {
  readonly #socket: TLSSocket;
  readonly #clock: Clock;
  readonly #limits: StandInLimits;
  readonly #writer: FrameWriter;
  readonly #openedAt: number;
  #heardAt: number;
  #greeted = false;
  #messages = 0;
  #closingAt: number | undefined;

  constructor(websocket: WebSocket, socket: TLSSocket, clock: Clock, limits: StandInLimits) {
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = limits;
    this.#openedAt = this.#heardAt = clock.monotonic();
    this.#writer = new FrameWriter(socket, clock, () => {});
    websocket
      .on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary))
      .on('ping', () => {
        this.#heardAt = clock.monotonic();
        this.#writer.pong();
      })
      .on('error', () => socket.destroy());
  }

  get closing(): boolean {
    return this.#closingAt !== undefined;
  }

  release(): void {
    if (this.closing) return;
    this.#closingAt = this.#clock.monotonic();
    this.#writer.close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  tick(now: number): void {
    const { introduceMs, silenceMs, stallMs } = this.#limits;
    const { busySince } = this.#writer;
    if (busySince !== undefined && now - busySince >= stallMs) this.destroy();
    else if (this.#closingAt !== undefined) {
      if (now - this.#closingAt >= LINGER_MS) this.destroy();
    } else if (!this.#greeted && now - this.#openedAt >= introduceMs) this.release();
    else if (now - this.#heardAt >= silenceMs) this.destroy();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#heardAt = this.#clock.monotonic();
    if (++this.#messages > MAX_MESSAGES) this.release();
    // Whatever comes after the greeting is for a capability that was not offered.
    if (this.#greeted || this.closing) return;
    const id = isBinary ? helloId(data) : undefined;
    if (id === undefined) {
      this.release();
      return;
    }
    this.#greeted = true;
    const result = { rpc_capabilities: [], rpc_frame_encoding: 'x-snappy-framed' };
    const payload = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result }));
    const frame = Buffer.concat([frameHeader(payload.length), payload]);
    this.#writer.send({ pieces: [frame], length: frame.length });
  }
}

/** The id of a hello; undefined for anything else. */
function helloId(data: Buffer): number | string | undefined {
  let message: { id?: unknown; method?: unknown } | null;
  try {
    message = JSON.parse(data.toString('utf8')) as typeof message;
  } catch {
    return undefined;
  }
  if (message?.method !== `${RPC_SUBPROTOCOL}.hello`) return undefined;
  const { id } = message;
  if (typeof id === 'number') return id;
  return typeof id === 'string' && /^[\x20-\x7e]*$/.test(id) && id.length <= MAX_ID_CHARACTERS
    ? id
    : undefined;
}
