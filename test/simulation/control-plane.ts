import type { Chance } from './chance.ts';
import type { World } from './world.ts';

/** One state of the database. Two versions may have the same content: A -> B -> A. */
export interface Version {
  readonly number: number;
  readonly content: string;
}

/** What a control plane sends, and keeps to send it again. */
export interface Payload extends Version {
  /** By the control plane's own clock at the end of the export, seconds since 1970. */
  readonly timestamp: number;
  /** The same moment in true time, milliseconds: for the judge only. */
  readonly madeAt: number;
}

/** The network's end of one session with a data plane, or an exporter that acts as one. */
export interface Peer {
  /** Its process died, or it has left. */
  readonly gone: boolean;
  send(payload: Payload): void;
  end(): void;
}

/** As `db_update_frequency`: pushes are coalesced, and the database is polled, this often. */
const PUSH_EVERY_MS = 5000;

export class Database {
  current: Version = { number: 1, content: 'a' };
  #contents = 0;

  set(content: string): void {
    this.current = { number: this.current.number + 1, content };
  }

  /** @param known the chance that it is a content that was there before */
  change(chance: Chance, known: number): void {
    const former = this.current.content;
    let content = chance.pick(['a', 'b', 'c']);
    if (!chance.is(known) || content === former) content = `n${++this.#contents}`;
    this.set(content);
  }
}

export interface NodeOptions {
  readonly skewMs: number;
  /** An export takes up to this long; its content is the database's at its beginning. */
  readonly exportMs: number;
  /** Data planes hold sessions with it, so that an exporter is never the first. */
  readonly hasDataPlanes: boolean;
}

/** One control plane node, as hybrid-protocol facts describe it: pushes, polls, caches. */
export class ControlPlaneNode {
  up = true;
  /** Its connection to the database. */
  connected = true;
  readonly #world: World;
  readonly #chance: Chance;
  readonly #database: Database;
  readonly #options: NodeOptions;
  readonly #peers = new Set<Peer>();
  #cached: Payload | undefined;
  #polled = 0;
  #pushedAt = 0;
  #isPushDue = false;
  /** Counts restarts: what was under way before is lost. */
  #life = 0;

  constructor(world: World, chance: Chance, database: Database, options: NodeOptions) {
    this.#world = world;
    this.#chance = chance;
    this.#database = database;
    this.#options = options;
    world.after(chance.between(0, PUSH_EVERY_MS), () => this.#poll());
  }

  /** Whole seconds: the `Date` of an answer. */
  date(): string {
    return new Date(this.#wall).toUTCString();
  }

  /** The Admin API of this node wrote. */
  wrote(): void {
    this.#polled = this.#database.current.number;
    this.#pushSoon();
  }

  connect(peer: Peer): void {
    for (const other of this.#peers) if (other.gone) this.#peers.delete(other);
    const isFirst = this.#peers.size === 0 && !this.#options.hasDataPlanes;
    this.#peers.add(peer);
    const cached = this.#cached;
    if (cached !== undefined && (!isFirst || !this.connected)) peer.send(cached);
    else if (this.connected) this.#export((payload) => peer.send(payload));
  }

  disconnect(peer: Peer): void {
    this.#peers.delete(peer);
  }

  goDown(): void {
    this.up = false;
    this.#life++;
    this.#cached = undefined;
    this.#isPushDue = false;
    for (const peer of [...this.#peers]) peer.end();
    this.#peers.clear();
  }

  get #wall(): number {
    return this.#world.now + this.#options.skewMs;
  }

  #poll(): void {
    this.#world.after(PUSH_EVERY_MS, () => this.#poll());
    if (!this.up || !this.connected || this.#polled === this.#database.current.number) return;
    this.#polled = this.#database.current.number;
    this.#pushSoon();
  }

  #pushSoon(): void {
    if (this.#isPushDue) return;
    this.#isPushDue = true;
    const life = this.#life;
    this.#world.at(this.#pushedAt + PUSH_EVERY_MS, () => {
      if (life !== this.#life) return;
      this.#isPushDue = false;
      this.#pushedAt = this.#world.now;
      this.#export((payload) => {
        for (const peer of this.#peers) peer.send(payload);
      });
    });
  }

  #export(then: (payload: Payload) => void): void {
    if (!this.connected) {
      this.#polled = 0;
      return;
    }
    const read = this.#database.current;
    const life = this.#life;
    this.#world.after(this.#chance.between(0.2, 1) * this.#options.exportMs, () => {
      if (life !== this.#life) return;
      if (!this.connected) {
        // Tried again when the database is back.
        this.#polled = 0;
        return;
      }
      const payload = { ...read, timestamp: this.#wall / 1000, madeAt: this.#world.now };
      if (this.#cached === undefined || this.#cached.number <= payload.number) this.#cached = payload;
      then(this.#cached);
    });
  }
}
