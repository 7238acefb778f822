import { APPLICATION_DATA, TlsRecords } from './tls-records.ts';

/**
 * - `handshake`: until the data plane has sent its request for a session
 * - `asked`: it has; the control plane's answer is due
 * - `open`: the answer came; the next word is the data plane's (`basic_info`)
 * - `introduced`: it came; what the control plane says now is a pong or a configuration
 * - `replied`: it was neither, but something between: `/v2/outlet`, over which a configuration may follow or not
 */
export type FramePhase = 'handshake' | 'asked' | 'open' | 'introduced' | 'replied' | 'carried' | 'given-up';

/** Finished of TLS 1.3 as a record of its own: 4 bytes, a SHA-256 or SHA-384, the type, the tag. */
const FINISHED_LENGTHS: ReadonlySet<number> = new Set([53, 69]);
/** A pong is 19 bytes with TLS 1.3 and 26 with 1.2; the smallest configuration seen is 346 and what TLS adds. */
const LEAST_OF_A_FRAME = 64;
const CARRIED_BYTES = 256;
/** A request for a session is some 400 bytes; `basic_info` of a real data plane 12 KB and more. */
const BASIC_INFO_BYTES = 1000;

/**
 * Tells from the lengths and the order of TLS records, unopened, when a control plane has sent a configuration. What
 * makes it possible: who speaks when is fixed up to there (handshake, request, 101, `basic_info` and a ping,
 * configuration), and each waits for the other.
 *
 * It guesses. A miss costs whoever waits for it their own bound; a configuration seen too early lets the next data
 * plane in a little sooner.
 */
export class FrameWatch {
  readonly #up = new TlsRecords();
  readonly #down = new TlsRecords();
  #phase: FramePhase = 'handshake';
  /** The control plane sent application data before the data plane did: its encrypted handshake, so this is TLS 1.3. */
  #isTls13 = false;
  #spoke = false;
  #finished = false;
  /** The control plane spoke after the data plane did. */
  #heard = false;
  /** Since the other side spoke. */
  #turnBytes = 0;
  #frameBytes = 0;

  get phase(): FramePhase {
    return this.#phase;
  }

  dataPlaneSent(chunk: Uint8Array): void {
    if (!this.#up.read(chunk, this.#onUp)) this.#giveUp();
  }

  controlPlaneSent(chunk: Uint8Array): void {
    if (!this.#down.read(chunk, this.#onDown)) this.#giveUp();
  }

  readonly #onUp = (type: number, length: number): void => {
    if (type !== APPLICATION_DATA) return;
    this.#spoke = true;
    this.#turnBytes += length;
    if (this.#phase === 'open') this.#phase = 'introduced';
    else if (this.#phase === 'handshake') this.#inHandshake(length);
  };

  /** With TLS 1.3 the end of the handshake is application data, too: a certificate, its proof, Finished. */
  #inHandshake(length: number): void {
    if (!this.#isTls13 || this.#finished) this.#phase = 'asked';
    else this.#finished = FINISHED_LENGTHS.has(length);
  }

  readonly #onDown = (type: number, length: number): void => {
    if (type !== APPLICATION_DATA) return;
    if (!this.#spoke) this.#isTls13 = true;
    // Session tickets come in this phase, too; the data plane says nothing before it has the answer.
    if (this.#phase === 'asked') this.#phase = 'open';
    else if (this.#phase === 'handshake' && this.#spoke) this.#inUnknownHandshake();
    this.#turnBytes = 0;
    if ((this.#phase === 'introduced' || this.#phase === 'replied') && length >= LEAST_OF_A_FRAME) {
      this.#frameBytes += length;
      this.#phase = this.#frameBytes >= CARRIED_BYTES ? 'carried' : 'replied';
    }
  };

  /** Another library cut its handshake into other records: only the size tells that the data plane introduced itself. */
  #inUnknownHandshake(): void {
    if (this.#heard && this.#turnBytes >= BASIC_INFO_BYTES) this.#phase = 'introduced';
    this.#heard = true;
  }

  #giveUp(): void {
    if (this.#phase !== 'carried') this.#phase = 'given-up';
  }
}
