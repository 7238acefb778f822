import { controlPlaneError } from '../../../../src/kong/control-plane-error.ts';
import { type Address, parseAddress } from '../../../../src/kong/index.ts';
import { Findings } from '../../../../src/observe/index.ts';
import type { Logger } from '../../../../src/plugin/plugin.ts';
import type { Verdict } from '../../../../src/relay/verdict.ts';
import {
  ControlPlaneWatch,
  type ControlPlaneWatchOptions,
} from '../../../../src/relay/watch/control-plane-watch.ts';
import type { LookAnswer, LookOptions } from '../../../../src/relay/watch/look.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

export type Mood =
  | 'answers'
  | 'refuses'
  /** A black hole: the look ends by its own deadline. */
  | 'hangs'
  /** TLS is fine, what is behind it is not. */
  | 'tls-only'
  | 'denies'
  | { readonly afterMs: number; readonly refuses?: true };

export interface SeenLook {
  readonly address: string;
  readonly depth: string;
  /** Since the start of the watch. */
  readonly atMs: number;
  readonly deadlineMs: number;
}

export interface LogLine {
  readonly event?: string;
  readonly verdict?: Verdict;
  readonly before?: Verdict;
  readonly reason?: string;
  readonly lastedSeconds?: number;
  readonly atMs: number;
}

/** A watch over control planes that behave as told, on a clock that moves when told. */
export class Watched {
  readonly clock = new FakeClock();
  readonly looks: SeenLook[] = [];
  readonly lines: LogLine[] = [];
  readonly moods = new Map<string, Mood>();
  readonly watch: ControlPlaneWatch;
  readonly findings: Findings;
  readonly #startedAt = this.clock.monotonic();
  readonly #stop = new AbortController();
  #done: Promise<void> | undefined;
  /** What came of the looks, in order; those that were given up are not among them. */
  readonly ends: { readonly atMs: number; readonly depth: string; readonly answers: boolean }[] = [];
  mood: Mood = 'answers';
  looking = 0;

  constructor(options: Partial<ControlPlaneWatchOptions> & { readonly hosts?: readonly string[] } = {}) {
    const write = (fields: object) => {
      this.lines.push({ ...fields, atMs: this.ms });
    };
    const log: Logger = { debug: write, info: write, warn: write, error: write };
    this.findings = new Findings(this.clock, log);
    const { hosts = ['cp:8005'], ...rest } = options;
    this.watch = new ControlPlaneWatch({
      addresses: hosts.map(parseAddress),
      look: async (address, look) => {
        const answer = await this.#look(address, look);
        this.ends.push({ atMs: this.ms, depth: look.depth, answers: answer.answers });
        return answer;
      },
      form: 'service',
      tripMs: 3000,
      stableMs: 10_000,
      maxStableMs: 120_000,
      clock: this.clock,
      random: () => 0.5,
      log,
      findings: this.findings,
      ...rest,
    });
  }

  /** Milliseconds since the start. */
  get ms(): number {
    return this.clock.monotonic() - this.#startedAt;
  }

  get verdict(): Verdict {
    return this.watch.view().verdict;
  }

  get verdicts(): LogLine[] {
    return this.lines.filter(({ event }) => event === 'relay.verdict');
  }

  run(): this {
    this.#done = this.watch.run(this.#stop.signal);
    return this;
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #look(address: Address, options: LookOptions): Promise<LookAnswer> {
    const { deadlineMs, depth, signal } = options;
    this.looks.push({ address: address.text, depth, atMs: this.ms, deadlineMs });
    const mood = this.moods.get(address.text) ?? this.mood;
    const refused: LookAnswer = {
      answers: false,
      error: controlPlaneError('KF_CP_REFUSED_CONNECTION', `${address.text} refuses connections`),
    };
    this.looking++;
    try {
      if (mood === 'refuses') return refused;
      if (mood === 'tls-only' && depth === 'upgrade') {
        return { answers: false, error: controlPlaneError('KF_CP_HTTP_STATUS', 'HTTP 502') };
      }
      if (mood === 'hangs') {
        await this.clock.sleep(deadlineMs, signal);
        return { answers: false, error: controlPlaneError('KF_CP_TLS_TIMEOUT', 'no TLS') };
      }
      if (mood === 'denies') {
        const { code, hint, message } = controlPlaneError('KF_CP_BAD_REQUEST', 'answered HTTP 400');
        return { answers: true, alarm: { code, message, ...(hint !== undefined && { hint }) } };
      }
      if (typeof mood === 'object') await this.clock.sleep(mood.afterMs, signal);
      return typeof mood === 'object' && mood.refuses ? refused : { answers: true };
    } finally {
      this.looking--;
    }
  }
}
