import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { EMPTY_HASH } from '../../src/kong/index.ts';
import { systemClock } from '../../src/resilience/index.ts';
import { TestDataPlane, type TestDataPlaneOptions } from '../stand-in/data-plane.ts';

/** A real one waits 5 to 10 s; who is turned away must not come back in a tight loop. */
const PAUSE_MS = 50;

export interface Visit {
  readonly origin: TestDataPlane['origin'];
  /** What it ran when it came. */
  readonly hash: string;
}

/** A data plane that lives: dials again whenever its session has ended, with what it runs. */
export class LivingDataPlane extends EventEmitter {
  readonly nodeId = randomUUID();
  readonly visits: Visit[] = [];
  /** Configurations that it received in all. */
  frames = 0;
  /** Times that it found nobody, or was cut before it had a session. */
  failures: string[] = [];
  hash: string = EMPTY_HASH;
  session: TestDataPlane | undefined;
  readonly #options: () => TestDataPlaneOptions;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;

  /** @param options asked for each dial */
  constructor(options: () => TestDataPlaneOptions) {
    super();
    this.setMaxListeners(0);
    this.#options = options;
    this.#running = this.#live();
  }

  /** True while it runs some configuration. */
  get runs(): boolean {
    return this.hash !== EMPTY_HASH;
  }

  /** It has a session with this origin, runs a configuration, and was told so by a pong. */
  async at(origin: Visit['origin']): Promise<void> {
    const isThere = () =>
      this.session?.origin === origin &&
      this.runs &&
      this.session.pongs.length > 0 &&
      this.session.configHash === this.hash;
    while (!isThere()) await once(this, 'changed');
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.session?.kill();
    await this.#running;
  }

  async #live(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#visit();
      } catch (error) {
        this.failures.push((error as Error).message);
      }
      this.session = undefined;
      this.emit('changed');
      await systemClock.sleep(PAUSE_MS, signal).catch(() => {});
    }
  }

  async #visit(): Promise<void> {
    const session = await TestDataPlane.connect({
      applyMs: 0,
      ...this.#options(),
      nodeId: this.nodeId,
      hash: this.hash,
    });
    this.session = session;
    this.visits.push({ origin: session.origin, hash: this.hash });
    session.on('frame', () => this.frames++);
    session.on('applied', (hash: string) => {
      this.hash = hash;
      this.emit('changed');
    });
    session.on('pong', () => this.emit('changed'));
    this.emit('changed');
    if (this.#stopped.signal.aborted) session.kill();
    await session.closed;
  }
}
