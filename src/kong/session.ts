import type { TLSSocket } from 'node:tls';
import type WebSocket from 'ws';
import type { FallbackError } from '../errors/index.ts';
import type { Clock } from '../plugin/plugin.ts';
import { aborted } from '../resilience/index.ts';
import type { Address } from './address.ts';
import { type BasicInfo, encodeBasicInfo } from './basic-info.ts';
import { type ControlPlaneErrorCode, controlPlaneError } from './control-plane-error.ts';
import { peekFrame } from './frame.ts';
import { EMPTY_HASH } from './hash.ts';
import { LatestQueue } from './latest-queue.ts';
import type { PeerClock } from './peer-clock.ts';
import type { UpgradedLink } from './upgrade.ts';

/** A data plane pings every 30 s, and either side leaves when it has heard nothing for 45 s (looking every 5 s). */
const PING_EVERY_MS = 30_000;
const GONE_AFTER_MS = 45_000;
const MOST_BETWEEN_LOOKS_MS = 5000;
/** For the peer's close frame, and for nothing else. */
const CLOSE_WITHIN_MS = 1000;

export interface SessionOptions extends BasicInfo {
  /** Until the first frame, milliseconds, from the moment the session stands. */
  readonly silenceMs: number;
  /** Default: 30 s, as a data plane pings. */
  readonly pingEveryMs?: number;
  /** Without a byte for so long it is gone. Default: 45 s, as for a data plane. */
  readonly goneAfterMs?: number;
  readonly clock: Clock;
  /** Ends the session; its frames then end with the abort. */
  readonly signal: AbortSignal;
}

/** A message from the control plane, not looked into. */
export interface ReceivedFrame {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Counts what was received, from 1; a gap shows what was superseded before it was taken. */
  readonly ordinal: number;
  /** Monotonic milliseconds at its arrival. */
  readonly receivedAt: number;
  /** The control plane's own clock at that moment. */
  readonly peerTime: number | undefined;
}

/**
 * Acts towards a control plane as a data plane that never proxies. It says who it is, pings, and hands on every
 * frame; a consumer that is slow gets only the newest.
 */
export class ControlPlaneSession {
  readonly address: Address;
  readonly #websocket: WebSocket;
  readonly #socket: TLSSocket;
  readonly #peerClock: PeerClock;
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #goneAfterMs: number;
  readonly #frames = new LatestQueue<ReceivedFrame>();
  readonly #timers = new AbortController();
  readonly #closed: Promise<void>;
  #heardAt: number;
  #heardBytes = 0;
  #received = 0;
  #pongs = 0;
  #configHash = EMPTY_HASH;

  /** Takes over an open link: sends `basic_info` and the first ping at once. */
  constructor(address: Address, link: UpgradedLink, options: SessionOptions) {
    this.address = address;
    this.#websocket = link.websocket;
    this.#socket = link.socket;
    this.#peerClock = link.peerClock;
    this.#clock = options.clock;
    this.#silenceMs = options.silenceMs;
    this.#goneAfterMs = options.goneAfterMs ?? GONE_AFTER_MS;
    this.#heardAt = options.clock.monotonic();
    this.#closed = new Promise((resolve) => this.#websocket.once('close', () => resolve()));
    this.#listen();
    this.#endWith(options.signal);
    this.#websocket.resume();
    this.#websocket.send(encodeBasicInfo(options), { binary: true });
    this.#ping();
    this.#every(options.pingEveryMs ?? PING_EVERY_MS, () => this.#ping());
    this.#watchForGone();
    this.#watchForSilence();
  }

  /**
   * Frames in the order of arrival, for one consumer. Ends when the control plane closes after at least one
   * frame, or when `close` was called.
   *
   * @throws FallbackError KF_CP_REFUSED, KF_CP_SILENT, KF_CP_GONE, KF_CP_CONNECTION_LOST, KF_CP_TEXT_FRAME,
   *   KF_CP_FRAME_TOO_LARGE, KF_CP_PROTOCOL_ERROR, KF_CP_STAND_IN, or the abort
   */
  frames(): AsyncGenerator<ReceivedFrame, void, undefined> {
    return this.#frames.items();
  }

  /** The control plane's own clock now, milliseconds since 1970; undefined when it tells no usable one. */
  peerTime(): number | undefined {
    return this.#peerClock.now();
  }

  /** Pings answered so far. */
  get pongs(): number {
    return this.#pongs;
  }

  /** What the next ping reports as running; by itself it is the hash of the newest frame where a peek tells it. */
  set configHash(hash: string) {
    // A control plane drops whoever pings with anything but 32 bytes.
    if (/^[\x21-\x7e]{32}$/.test(hash)) this.#configHash = hash;
  }

  /** Says goodbye, and destroys the socket if that is not answered within a second. */
  async close(): Promise<void> {
    this.#frames.end();
    this.#timers.abort();
    if (this.#websocket.readyState === this.#websocket.OPEN) this.#websocket.close();
    const bound = new AbortController();
    const late = this.#clock.sleep(CLOSE_WITHIN_MS, bound.signal).catch(() => {});
    await Promise.race([this.#closed, late]);
    bound.abort();
    this.#websocket.terminate();
    await this.#closed;
  }

  #listen(): void {
    this.#websocket
      .on('message', (data, isBinary) => {
        if (isBinary) this.#receive(data as Buffer<ArrayBuffer>);
        else this.#fail('KF_CP_TEXT_FRAME', 'sent a text frame');
      })
      .on('pong', () => {
        this.#pongs++;
      })
      .on('error', (error) => this.#failOnError(error))
      .on('close', (code) => this.#onClose(code));
  }

  #receive(bytes: Uint8Array<ArrayBuffer>): void {
    // One reading for both: a process that is stopped between two would make the configuration look older or younger.
    const receivedAt = this.#clock.monotonic();
    const { configHash, standIn } = peekFrame(bytes);
    if (standIn === true) {
      this.#fail('KF_CP_STAND_IN', 'is a stand-in, not a control plane');
      return;
    }
    this.#received++;
    this.configHash = configHash ?? '';
    const peerTime = this.#peerClock.at(receivedAt);
    this.#frames.push({ bytes, ordinal: this.#received, receivedAt, peerTime });
  }

  #onClose(code: number): void {
    this.#timers.abort();
    // 1006 is what ws reports when no close frame came.
    if (code === 1006) {
      this.#fail(
        'KF_CP_CONNECTION_LOST',
        `dropped the connection (configurations received: ${this.#received})`,
      );
    } else if (this.#received === 0) {
      this.#fail('KF_CP_REFUSED', 'closed the session after basic_info, without a configuration');
    } else this.#frames.end();
  }

  #failOnError(error: Error): void {
    const code = String((error as { code?: unknown }).code);
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      this.#fail('KF_CP_FRAME_TOO_LARGE', 'sent a configuration above maxPayloadBytes', error);
    } else if (code.startsWith('WS_ERR_')) {
      this.#fail('KF_CP_PROTOCOL_ERROR', `broke the WebSocket protocol (${code})`, error);
    } else this.#fail('KF_CP_CONNECTION_LOST', `dropped the connection (${code})`, error);
  }

  #fail(code: ControlPlaneErrorCode, what: string, cause?: unknown): void {
    this.#stop(controlPlaneError(code, `${this.address.text} ${what}`, cause));
  }

  #stop(error: FallbackError): void {
    this.#frames.end(error);
    this.#timers.abort();
    this.#websocket.terminate();
  }

  #endWith(signal: AbortSignal): void {
    const onAbort = () => this.#stop(aborted(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    this.#timers.signal.addEventListener('abort', () => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  }

  #ping(): void {
    if (this.#websocket.readyState === this.#websocket.OPEN) this.#websocket.ping(this.#configHash);
  }

  #watchForGone(): void {
    this.#after(Math.min(MOST_BETWEEN_LOOKS_MS, this.#goneAfterMs / 9), () => {
      // Bytes, not messages: a large configuration on a slow line takes its time.
      const bytes = this.#socket.bytesRead;
      const now = this.#clock.monotonic();
      if (bytes !== this.#heardBytes) this.#heardAt = now;
      this.#heardBytes = bytes;
      if (now - this.#heardAt < this.#goneAfterMs) this.#watchForGone();
      else this.#fail('KF_CP_GONE', `sent nothing, not even a pong, for ${this.#goneAfterMs / 1000} s`);
    });
  }

  #watchForSilence(): void {
    this.#after(this.#silenceMs, () => {
      if (this.#received > 0) return;
      const seconds = Math.round(this.#silenceMs / 1000);
      this.#fail('KF_CP_SILENT', `answered ${this.#pongs} pings but sent no configuration in ${seconds} s`);
    });
  }

  #every(ms: number, work: () => void): void {
    this.#after(ms, () => {
      work();
      this.#every(ms, work);
    });
  }

  #after(ms: number, work: () => void): void {
    this.#clock.sleep(Math.max(0, ms), this.#timers.signal).then(work, () => {});
  }
}
