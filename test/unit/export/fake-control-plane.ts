import { FallbackError } from '../../../src/errors/index.ts';
import type { Finding, ReceivedConfiguration, Source, SourceSession } from '../../../src/plugin/index.ts';
import type { FakeClock } from '../../../src/testing/index.ts';

interface Session {
  readonly deliver: (received: ReceivedConfiguration) => void;
  readonly end: (error: FallbackError) => void;
}

/** A control plane in memory: sends its configuration to whoever connects, and pushes changes. */
export class FakeControlPlane implements Source {
  dialled = 0;
  /** Connections are accepted, and nothing is sent on them. */
  silent = false;
  readonly #clock: FakeClock;
  readonly #sessions = new Set<Session>();
  readonly #mute = new Set<Session>();
  #sent: { letter: string; findings: readonly Finding[]; at: number } | undefined;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  set(letter: string, findings: readonly Finding[] = []): void {
    this.#sent = { letter, findings, at: this.#clock.now() };
  }

  push(letter: string, findings: readonly Finding[] = []): void {
    this.set(letter, findings);
    for (const session of this.#sessions) session.deliver(this.#frame());
  }

  die(): void {
    this.#sent = undefined;
    const gone = new FallbackError('unavailable', 'KF_CP_GONE', 'gone');
    for (const session of [...this.#sessions]) session.end(gone);
  }

  /** As the session itself ends after its silence. */
  endSilent(): void {
    const silent = new FallbackError('unavailable', 'KF_CP_SILENT', 'pongs and no configuration');
    for (const session of [...this.#mute]) session.end(silent);
  }

  async open(): Promise<SourceSession> {
    this.dialled++;
    if (this.#sent === undefined)
      throw new FallbackError('unavailable', 'KF_CP_REFUSED_CONNECTION', 'refused');
    const waiting: (ReceivedConfiguration | FallbackError | undefined)[] = [];
    let wake = () => {};
    const put = (item: (typeof waiting)[number]) => {
      waiting.push(item);
      wake();
    };
    const session: Session = {
      deliver: put,
      end: (error) => {
        this.#sessions.delete(session);
        this.#mute.delete(session);
        put(error);
      },
    };
    this.#sessions.add(session);
    if (this.silent) this.#mute.add(session);
    else put(this.#frame());
    async function* configurations(): AsyncGenerator<ReceivedConfiguration> {
      for (;;) {
        while (waiting.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const item = waiting.shift();
        if (item === undefined) return;
        if (item instanceof FallbackError) throw item;
        yield item;
      }
    }
    return {
      configurations: configurations(),
      close: async () => {
        this.#sessions.delete(session);
        this.#mute.delete(session);
        put(undefined);
      },
    };
  }

  #frame(): ReceivedConfiguration {
    if (this.#sent === undefined) throw new Error('this control plane is dead');
    const { letter, findings, at } = this.#sent;
    return {
      form: 'document',
      bytes: new Uint8Array(Buffer.from(JSON.stringify({ letter, findings, timestamp: at / 1000 }))),
      ordinal: 1,
      peerTime: this.#clock.now(),
      receivedAt: this.#clock.monotonic(),
      fromControlPlane: true,
    };
  }
}
