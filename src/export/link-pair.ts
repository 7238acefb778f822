import type { Link } from './link.ts';

/** The session that a line lives on, and the one that shall take over: make before break. */
export class LinkPair {
  #current: Link | undefined;
  /** Opened for fresh evidence, takes over with its first frame. */
  #next: Link | undefined;

  get current(): Link | undefined {
    return this.#current;
  }

  get hasNext(): boolean {
    return this.#next !== undefined;
  }

  add(link: Link): void {
    if (this.#current === undefined) this.#current = link;
    else this.#next = link;
  }

  /** It sent something. @returns false when it was replaced meanwhile: what it says counts no more */
  async heard(link: Link): Promise<boolean> {
    if (link === this.#next) {
      const former = this.#current;
      this.#current = link;
      this.#next = undefined;
      await former?.close();
    }
    return link === this.#current;
  }

  /** @returns which it was: `former` for one that was replaced before */
  async ended(link: Link): Promise<'current' | 'next' | 'former'> {
    await link.close();
    if (link === this.#next) {
      this.#next = undefined;
      return 'next';
    }
    if (link !== this.#current) return 'former';
    this.#current = this.#next;
    this.#next = undefined;
    return 'current';
  }

  async close(): Promise<void> {
    await Promise.all([this.#current?.close(), this.#next?.close()]);
  }
}
