/** change_cipher_spec, alert, handshake, application_data, heartbeat. */
const [FIRST_TYPE, LAST_TYPE] = [20, 24];
/** 2^14 and what ciphers may add (RFC 5246, 6.2.3); TLS 1.3 adds less. */
const MOST_BYTES = 16_384 + 2048;

export const APPLICATION_DATA = 23;

/**
 * Headers of TLS records (RFC 8446, 5.1) out of the pieces in which one direction of a connection arrives. Nothing is
 * decrypted and nothing is kept but where in a record it is.
 */
export class TlsRecords {
  #type = 0;
  #length = 0;
  /** Bytes of the header that were seen; of the record that are still to come. */
  #headerBytes = 0;
  #left = 0;
  #isTls = true;

  /**
   * @param seen told of each record as soon as its header is there; `length` is that of the record's body
   * @returns false when this is no TLS; nothing is read from then on
   */
  read(chunk: Uint8Array, seen: (type: number, length: number) => void): boolean {
    let at = 0;
    while (at < chunk.length && this.#isTls) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
      } else if (this.#header(chunk[at++] ?? 0)) {
        this.#left = this.#length;
        seen(this.#type, this.#length);
      }
    }
    return this.#isTls;
  }

  /** @returns true with the last byte of a header */
  #header(byte: number): boolean {
    switch (this.#headerBytes++) {
      case 0:
        this.#type = byte;
        this.#isTls = byte >= FIRST_TYPE && byte <= LAST_TYPE;
        return false;
      case 1:
        this.#isTls = byte === 3;
        return false;
      case 2:
        return false;
      case 3:
        this.#length = byte << 8;
        return false;
      default:
        this.#length |= byte;
        this.#headerBytes = 0;
        this.#isTls = this.#length <= MOST_BYTES;
        return this.#isTls;
    }
  }
}
