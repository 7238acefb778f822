import { FallbackError } from '../../src/errors/index.ts';
import { LatestQueue } from '../../src/kong/latest-queue.ts';
import { PeerClock } from '../../src/kong/peer-clock.ts';
import type {
  OpenSessionOptions,
  ReceivedConfiguration,
  Source,
  SourceSession,
} from '../../src/plugin/index.ts';
import type { Chance } from './chance.ts';
import type { ControlPlaneNode, Payload, Peer } from './control-plane.ts';
import { latency, type NetworkFaults } from './object-storage.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

export interface SessionRecord {
  /** In the order of what this process read and asked for. */
  readonly requestedAt: number;
}

const SILENCE_MS = 180_000;

/** The way of one process to the control plane: a balancer that takes any node that is up. */
export class SimSource implements Source {
  readonly sessions = new Map<number, SessionRecord>();
  readonly #world: World;
  readonly #chance: Chance;
  readonly #process: SimProcess;
  readonly #nodes: readonly ControlPlaneNode[];
  readonly #faults: () => NetworkFaults;
  #step = 0;

  constructor(
    world: World,
    chance: Chance,
    process: SimProcess,
    nodes: readonly ControlPlaneNode[],
    faults: () => NetworkFaults,
  ) {
    this.#world = world;
    this.#chance = chance;
    this.#process = process;
    this.#nodes = nodes;
    this.#faults = faults;
  }

  step(): number {
    return ++this.#step;
  }

  open({ signal }: OpenSessionOptions): Promise<SourceSession> {
    const session = this.#world.nextId();
    this.sessions.set(session, { requestedAt: this.step() });
    const up = this.#nodes.filter((node) => node.up);
    const node = up.length > 0 ? this.#chance.pick(up) : undefined;
    const askedAt = this.#process.clock.monotonic();
    const { promise, resolve, reject } = withResolvers<SourceSession>();
    this.#world.at(this.#process.now + this.#latency(), () => {
      if (node === undefined || !node.up || signal.aborted) {
        this.#world.after(
          this.#latency(),
          () => reject(unavailable('KF_CP_REFUSED_CONNECTION')),
          this.#process,
        );
        return;
      }
      const wire = new Wire(session, node, this.#world, this.#process, () => this.#latency());
      const date = node.date();
      wire.arrive(() => resolve(wire.accept(date, askedAt)));
      // basic_info is answered with the configuration.
      this.#world.after(2 * this.#latency(), () => wire.begin(), this.#process);
    });
    return promise;
  }

  #latency(): number {
    return latency(this.#chance, this.#faults());
  }
}

/** One session; what is sent arrives in order. */
class Wire implements Peer {
  readonly #session: number;
  readonly #node: ControlPlaneNode;
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #latency: () => number;
  readonly #frames = new LatestQueue<ReceivedConfiguration>();
  #clock: PeerClock | undefined;
  #arrivesAt = 0;
  #ordinal = 0;
  #closed = false;

  constructor(
    session: number,
    node: ControlPlaneNode,
    world: World,
    process: SimProcess,
    latency: () => number,
  ) {
    this.#session = session;
    this.#node = node;
    this.#world = world;
    this.#process = process;
    this.#latency = latency;
  }

  arrive(fire: () => void): void {
    this.#arrivesAt = Math.max(this.#arrivesAt, this.#world.now + this.#latency());
    this.#world.at(this.#arrivesAt, fire, this.#process);
  }

  accept(date: string, askedAt: number): SourceSession {
    this.#clock = new PeerClock(this.#process.clock, date, askedAt);
    this.#world.after(
      SILENCE_MS,
      () => {
        if (this.#ordinal === 0) this.#frames.end(unavailable('KF_CP_SILENT'));
      },
      this.#process,
    );
    return {
      configurations: this.#frames.items(),
      close: async () => {
        this.#closed = true;
        this.#frames.end();
        this.#node.disconnect(this);
      },
    };
  }

  get gone(): boolean {
    return this.#closed || this.#process.dead;
  }

  begin(): void {
    if (this.#closed) return;
    if (this.#node.up) this.#node.connect(this);
    else this.end();
  }

  send(payload: Payload): void {
    this.arrive(() => {
      if (this.#process.dead) return;
      const { clock } = this.#process;
      this.#ordinal++;
      this.#frames.push({
        form: 'document',
        bytes: new Uint8Array(Buffer.from(JSON.stringify({ ...payload, session: this.#session }))),
        ordinal: this.#ordinal,
        ...this.#process.whole(() => ({ receivedAt: clock.monotonic(), peerTime: this.#clock?.now() })),
        fromControlPlane: true,
      });
    });
  }

  end(): void {
    this.arrive(() => this.#frames.end(unavailable('KF_CP_CONNECTION_LOST')));
  }
}

const unavailable = (code: string) => new FallbackError('unavailable', code, 'the control plane is away');

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
