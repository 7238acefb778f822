/** Pieces are cut to this, so that what age makes of one piece stays small. Bytes. */
const PIECE_BYTES = 16 * 1024;

/** An iterable as the stream that age takes: pulled, and left when the stream is. */
export class SourceStream {
  readonly readable: ReadableStream<Uint8Array>;
  /** What the iterable threw, which age does not pass on as it was. */
  failure: { readonly error: unknown } | undefined;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #left = false;

  /**
   * @param allow called with the bytes given so far, before more are; what it throws ends the stream
   */
  constructor(pieces: AsyncIterable<Uint8Array>, allow: (given: number) => void = () => {}) {
    let rest: Uint8Array = new Uint8Array(0);
    let given = 0;
    this.readable = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            allow(given);
            this.#iterator ??= pieces[Symbol.asyncIterator]();
            while (rest.length === 0) {
              const step = await this.#iterator.next();
              if (step.done === true) {
                this.#left = true;
                controller.close();
                return;
              }
              rest = step.value;
            }
            const piece = rest.subarray(0, PIECE_BYTES);
            rest = rest.subarray(piece.length);
            given += piece.length;
            controller.enqueue(piece);
          } catch (error) {
            this.failure ??= { error };
            controller.error(error);
          }
        },
        cancel: () => this.leave(),
      },
      { highWaterMark: 0 },
    );
  }

  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    await this.#iterator?.return?.();
  }
}

/** The other way round; leaving the loop cancels the stream. */
export async function* piecesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) {
        ended = true;
        return;
      }
      if (step.value.length > 0) yield step.value;
    }
  } finally {
    // Not awaited: a stream that failed or hangs would hold up whoever leaves.
    if (!ended) reader.cancel().catch(() => {});
  }
}
