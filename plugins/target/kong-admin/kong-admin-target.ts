import type {
  AppliedDocument,
  CallOptions,
  PluginContext,
  RestoredDocument,
  Target,
} from 'kongfallback/plugin';
import type { AdminAnswer } from './admin-answer.ts';
import type { AdminClient } from './admin-client.ts';
import { refused } from './errors.ts';

export interface KongAdminTimings {
  readonly waitMs: number;
  readonly loadMs: number;
}

/** For a small answer from a node that is up. */
const STATUS_MS = 5000;
const PAUSE_MS = 1000;
/** The hash is there when POST /config has answered; a node that was never configured says 32 zeros. */
const SETTLE_MS = 10_000;
const EMPTY_HASH = /^0*$/;

export class KongAdminTarget implements Target {
  readonly #client: AdminClient;
  readonly #timings: KongAdminTimings;
  readonly #context: PluginContext;

  constructor(client: AdminClient, timings: KongAdminTimings, context: PluginContext) {
    this.#client = client;
    this.#timings = timings;
    this.#context = context;
  }

  async apply(document: RestoredDocument, { signal }: CallOptions): Promise<AppliedDocument> {
    const { url } = this.#client;
    await this.#up(signal);
    const answer = await this.#client.post('/config?flatten_errors=1', document.body, document.length, {
      deadlineMs: this.#timings.loadMs,
      signal,
    });
    if (answer.status >= 300) throw refused(answer, url, document.length, this.#context);
    await this.#loaded(signal);
    return { where: `${url}/config` };
  }

  async #up(signal: AbortSignal): Promise<void> {
    await this.#until(this.#timings.waitMs, signal, `${this.#client.url} is not up`, ({ status }) =>
      status < 300 ? undefined : `it answers ${status}`,
    );
  }

  /** What is loaded has another hash than the document: Kong computes it from what it made of it. */
  async #loaded(signal: AbortSignal): Promise<void> {
    const what = `${this.#client.url} took the configuration and does not use it`;
    await this.#until(SETTLE_MS, signal, what, (answer) => {
      if (answer.status >= 300) return `it answers ${answer.status}`;
      const hash = hashIn(answer.text);
      if (hash === undefined) {
        const message = 'the node does not tell its configuration hash; that it was loaded is not checked';
        this.#context.log.warn({ event: 'target.not-checked', url: this.#client.url }, message);
        return undefined;
      }
      return EMPTY_HASH.test(hash) ? 'its configuration hash is that of no configuration' : undefined;
    });
  }

  /** Asks for the status until `wrong` finds nothing any more. */
  async #until(
    ms: number,
    signal: AbortSignal,
    what: string,
    wrong: (answer: AdminAnswer) => string | undefined,
  ): Promise<void> {
    const { clock } = this.#context;
    const endsAt = clock.monotonic() + ms;
    for (;;) {
      const found = await this.#status(signal);
      const reason = typeof found === 'string' ? found : wrong(found);
      if (reason === undefined) return;
      if (clock.monotonic() + PAUSE_MS > endsAt) {
        throw this.#context.error('unavailable', `${what} after ${ms / 1000} s: ${reason}`, {
          hint: 'Is this admin_listen of a DB-less node? See its error log; raise waitSeconds if it starts slowly.',
        });
      }
      await clock.sleep(PAUSE_MS, signal);
    }
  }

  /**
   * The answer, or why there is none yet.
   *
   * @throws what waiting does not mend: a refusal, a stranger, an abort
   */
  async #status(signal: AbortSignal): Promise<AdminAnswer | string> {
    try {
      const answer = await this.#client.get('/status', { deadlineMs: STATUS_MS, signal });
      if ([401, 403, 404, 405].includes(answer.status))
        throw refused(answer, this.#client.url, 0, this.#context);
      return answer;
    } catch (error) {
      if (signal.aborted || (error as { kind?: unknown }).kind !== 'unavailable') throw error;
      return (error as Error).message;
    }
  }
}

function hashIn(text: string): string | undefined {
  try {
    const { configuration_hash: hash } = JSON.parse(text) as { configuration_hash?: unknown };
    return typeof hash === 'string' ? hash : undefined;
  } catch {
    return undefined;
  }
}
