/** Whose events wait while it is stopped, and are dropped once it is dead. */
export interface Owner {
  /** World time, milliseconds since 1970. */
  readonly stoppedUntil: number;
  readonly dead: boolean;
}

interface Event {
  at: number;
  readonly order: number;
  readonly fire: () => void;
  readonly owner: Owner | undefined;
  cancelled: boolean;
}

/** The true time, which nobody in the simulation can read, and everything that is going to happen. */
export class World {
  /** Milliseconds since 1970. */
  now: number;
  events = 0;
  readonly #queue: Event[] = [];
  #order = 0;
  #ids = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** @returns what cancels it */
  at(time: number, fire: () => void, owner?: Owner): () => void {
    const event = { at: Math.max(time, this.now), order: this.#order++, fire, owner, cancelled: false };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  after(ms: number, fire: () => void, owner?: Owner): () => void {
    return this.at(this.now + ms, fire, owner);
  }

  nextId(): number {
    return ++this.#ids;
  }

  async runUntil(end: number): Promise<void> {
    await settled();
    while ((this.#queue[0]?.at ?? Number.POSITIVE_INFINITY) <= end) await this.step();
    this.now = end;
  }

  /** The next thing that happens, if any does. */
  async step(): Promise<void> {
    const event = this.#queue[0];
    if (event === undefined) return;
    this.#pop();
    if (event.cancelled || event.owner?.dead === true) return;
    if (event.owner !== undefined && event.owner.stoppedUntil > event.at) {
      event.at = event.owner.stoppedUntil;
      this.#push(event);
      return;
    }
    this.now = event.at;
    this.events++;
    event.fire();
    await settled();
  }

  #push(event: Event): void {
    const queue = this.#queue;
    let index = queue.length;
    queue.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, queue[parent] as Event)) break;
      queue[index] = queue[parent] as Event;
      index = parent;
    }
    queue[index] = event;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop() as Event;
    if (queue.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= queue.length) break;
      if (child + 1 < queue.length && isBefore(queue[child + 1] as Event, queue[child] as Event)) child++;
      if (!isBefore(queue[child] as Event, last)) break;
      queue[index] = queue[child] as Event;
      index = child;
    }
    queue[index] = last;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Every promise that is ready has run: the code under test waits for nothing but this world. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
