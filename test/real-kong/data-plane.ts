import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/resilience/index.ts';
import { API_KEY, PATH } from './admin-api.ts';
import type { KongNode } from './kong-node.ts';
import { until } from './until.ts';

/** From the start, or the end of an outage; a data plane dials again within 10 s of each failure. */
const CONFIGURED_MS = 60_000;
const CALL_MS = 5000;
const ASK_EVERY_MS = 100;

/** A Kong in the role of data plane, as its clients and its monitoring see it. */
export class DataPlane {
  readonly node: KongNode;
  readonly #proxy: string;
  readonly #status: string;

  constructor(node: KongNode, proxyPort: number, statusPort: number) {
    this.node = node;
    this.#proxy = `http://127.0.0.1:${proxyPort}`;
    this.#status = `http://127.0.0.1:${statusPort}`;
  }

  /** Its node id, which Kong keeps in its prefix. */
  get id(): string {
    return readFileSync(join(this.node.prefix, 'kong.id'), 'utf8').trim();
  }

  /** Waits until it proxies with the right key, and not without. */
  proxies(): Promise<void> {
    return until(
      'the data plane proxies',
      async () => {
        const found = `${await this.#get({ apikey: API_KEY })} with the key, ${await this.#get({})} without`;
        return found === '200 with the key, 401 without' || found;
      },
      { ms: CONFIGURED_MS, log: () => this.node.log() },
    );
  }

  /** HTTP status of a request with the right key at this moment. */
  ask(): Promise<number> {
    return this.#get({ apikey: API_KEY });
  }

  /** Asks again and again until the signal fires; gives how often, and what was answered other than 200. */
  async keepAsking(
    stop: AbortSignal,
  ): Promise<{ readonly asked: number; readonly others: readonly string[] }> {
    const others: string[] = [];
    let asked = 0;
    for (; !stop.aborted; asked++) {
      const answer = await this.ask().catch((error: Error) => String(error.cause ?? error.message));
      if (answer !== 200) others.push(String(answer));
      await systemClock.sleep(ASK_EVERY_MS, stop).catch(() => {});
    }
    return { asked, others };
  }

  /** Of the configuration that it runs, as it says itself. */
  async hash(): Promise<string> {
    const response = await fetch(`${this.#status}/status`, { signal: AbortSignal.timeout(CALL_MS) });
    return String(((await response.json()) as { configuration_hash?: string }).configuration_hash);
  }

  async #get(headers: Readonly<Record<string, string>>): Promise<number> {
    const signal = AbortSignal.timeout(CALL_MS);
    const response = await fetch(this.#proxy + PATH, { headers, signal });
    await response.arrayBuffer();
    return response.status;
  }
}
