/** A record's header (RFC 8446, 5.1), behind which the type of the handshake message stands (4). */
const HEADER_BYTES = 5;
const [HANDSHAKE, MAJOR, CLIENT_HELLO] = [22, 3, 1];
const BEGINNING = [HANDSHAKE, MAJOR, undefined, undefined, undefined, CLIENT_HELLO];

/**
 * Whether a data plane has asked for TLS: only then a control plane has something to answer to. Strangers that send a
 * byte and stall, or something that is no TLS, say nothing of the control plane.
 */
export class ClientHello {
  readonly #start: number[] = [];
  #bytes = 0;

  get hasBegun(): boolean {
    return this.#bytes > 0;
  }

  /** Its first record is there, whole. */
  get isWhole(): boolean {
    const [type, major, , high = 0, low = 0, message] = this.#start;
    if (type !== HANDSHAKE || major !== MAJOR || message !== CLIENT_HELLO) return false;
    return this.#bytes >= HEADER_BYTES + high * 256 + low;
  }

  /** It began with something else. */
  get isOther(): boolean {
    return this.#start.some((byte, at) => BEGINNING[at] !== undefined && byte !== BEGINNING[at]);
  }

  read(chunk: Uint8Array): void {
    const missing = HEADER_BYTES + 1 - this.#start.length;
    if (missing > 0) this.#start.push(...chunk.subarray(0, missing));
    this.#bytes += chunk.length;
  }
}
