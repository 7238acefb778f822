import type { Socket } from 'node:net';
import type { Clock } from '../../plugin/plugin.ts';
import type { PreparedFrame } from '../prepared-frame.ts';

/** Unmasked, empty. A real control plane answers each ping so, and closes without a status code. */
const PONG = Buffer.from([0x8a, 0]);
const CLOSE = Buffer.from([0x88, 0]);
/** TLS holds as much again, encrypted, until the reader has taken it; below this the fan-out gets slower. */
const WRITE_BYTES = 131_072;

/**
 * Writes WebSocket frames to a socket that it shares with nobody. A frame goes out piece by piece, each when the
 * former has left for the kernel: a reader that stalls costs one piece and no more. What comes meanwhile waits:
 * one pong, the newest frame.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onWritten: (frame: PreparedFrame) => void;
  #frame: PreparedFrame | undefined;
  #next = 0;
  #offset = 0;
  #waiting: PreparedFrame | undefined;
  #pong = false;
  #closing = false;
  #ended = false;
  #busySince: number | undefined;
  #bytes = 0;

  /** @param onWritten the last byte of a frame has left for the kernel */
  constructor(socket: Socket, clock: Clock, onWritten: (frame: PreparedFrame) => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onWritten = onWritten;
  }

  /** Replaces a frame that waits; one that has begun is written to its end, as a cut one would cost the session. */
  send(frame: PreparedFrame): void {
    if (this.#frame === frame) this.#waiting = undefined;
    else this.#waiting = frame;
    this.#pump();
  }

  pong(): void {
    this.#pong = true;
    this.#pump();
  }

  /** Says goodbye after the frame in flight, if any, and ends the socket. */
  close(): void {
    this.#closing = true;
    this.#waiting = undefined;
    this.#pump();
  }

  /** Monotonic milliseconds since when the reader has not taken what was last written; undefined when it has. */
  get busySince(): number | undefined {
    return this.#busySince;
  }

  /** Of frames, written in full or in part. */
  get bytes(): number {
    return this.#bytes;
  }

  readonly #taken = (error?: Error | null): void => {
    this.#busySince = undefined;
    if (error === undefined || error === null) this.#pump();
  };

  #pump(): void {
    if (this.#busySince !== undefined || this.#ended || this.#socket.destroyed) return;
    this.#finishFrame();
    const piece = this.#frame?.pieces[this.#next];
    if (piece !== undefined) this.#writePart(piece);
    else if (this.#pong) {
      this.#pong = false;
      this.#write(PONG);
    } else if (this.#closing) {
      this.#ended = true;
      this.#socket.end(CLOSE);
    } else if (this.#waiting !== undefined) {
      this.#frame = this.#waiting;
      this.#waiting = undefined;
      this.#next = 0;
      this.#pump();
    }
  }

  #writePart(piece: Buffer): void {
    const part = piece.subarray(this.#offset, this.#offset + WRITE_BYTES);
    this.#offset += part.length;
    if (this.#offset === piece.length) {
      this.#next++;
      this.#offset = 0;
    }
    this.#bytes += part.length;
    this.#write(part);
  }

  #finishFrame(): void {
    const frame = this.#frame;
    if (frame === undefined || this.#next < frame.pieces.length) return;
    this.#frame = undefined;
    this.#onWritten(frame);
  }

  #write(bytes: Buffer): void {
    this.#busySince = this.#clock.monotonic();
    this.#socket.write(bytes, this.#taken);
  }
}
