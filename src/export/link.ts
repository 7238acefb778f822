import { classify, FallbackError } from '../errors/index.ts';
import type { ReceivedConfiguration, Source, SourceSession } from '../plugin/index.ts';
import type { LineHeads } from './line-heads.ts';

/** A session, and the heads that were read before it was requested: its frames are evidence about them. */
export class Link {
  heads: LineHeads;
  /** Of the head that was written from an earlier frame of this session. */
  nonce: string | undefined;
  /** Received and not yet in a store. */
  pending: ReceivedConfiguration | undefined;
  readonly #session: SourceSession;
  #closed = false;

  constructor(heads: LineHeads, session: SourceSession) {
    this.heads = heads;
    this.#session = session;
  }

  /** @param heads already read: the session is requested here, after them */
  static async open(
    heads: LineHeads,
    source: Source,
    gatewayVersion: string,
    signal: AbortSignal,
  ): Promise<Link> {
    return new Link(heads, await source.open({ gatewayVersion, signal }));
  }

  /** Tells of every configuration, and at the end why it ended. Not of the end that `close` makes. */
  async pump(
    onFrame: (received: ReceivedConfiguration) => void,
    onEnd: (error: FallbackError) => void,
  ): Promise<void> {
    let reason = new FallbackError('unavailable', 'KF_SOURCE_ENDED', 'the session ended', {
      hint: 'It is opened again by itself.',
    });
    try {
      for await (const received of this.#session.configurations) {
        if (this.#closed) return;
        onFrame(received);
      }
    } catch (thrown) {
      reason = classify(thrown, 'source');
    }
    if (!this.#closed) onEnd(reason);
  }

  /**
   * Whether heads that were read again are those that this session is evidence about. A store that could not be read
   * before the session was requested is none of them.
   */
  isEvidenceAbout(now: LineHeads): boolean {
    return now.readings.every(({ store, head }) => {
      const before = this.heads.readings.find((reading) => reading.store.id === store.id);
      return before !== undefined && before.head?.nonce === head?.nonce;
    });
  }

  /** Our own head replaced the one before, with the same configuration in it: what held for that holds for it. */
  replaced(heads: LineHeads): void {
    if (this.nonce !== undefined && this.nonce === this.heads.base?.nonce) this.nonce = heads.base?.nonce;
    this.heads = heads;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.close().catch(() => {});
  }
}
