import { tail } from './command.ts';
import { until } from './until.ts';

const READY_MS = 30_000;
const SEEN_MS = 60_000;
const CALL_MS = 10_000;

/** What a request needs that the test's configuration lets through. */
export const API_KEY = 'key-of-the-test';
export const PATH = '/hello';

// Ids of our own, so that the same call makes it once and changes nothing afterwards.
const SERVICE = '1f1a3a52-42f0-4fd0-9d7e-0f6b6c6a7c01';
const ROUTE = '2c7cf0d6-0d4c-4f0e-8a44-6d3f2f8a1b02';
const PLUGIN = '6d2ad2a4-64c2-4a4c-8a6f-0b9a30a2c7b1';
const CREDENTIAL = '0f2fdba2-0e31-4f0a-9fd8-7a2b4f7f3d11';

/** As the control plane lists a data plane. */
interface ListedDataPlane {
  readonly id: string;
  readonly config_hash: string;
  readonly sync_status: string;
  readonly last_seen: number;
}

/** The Admin API of the control plane, as far as the scenarios need it. */
export class AdminApi {
  readonly #url: string;
  readonly #log: () => string;

  constructor(url: string, log: () => string) {
    this.#url = url;
    this.#log = log;
  }

  ready(): Promise<void> {
    const answers = async () => (await this.#call('GET', '/status')) !== undefined || 'an empty answer';
    return until('the Admin API answers', answers, {
      ms: READY_MS,
      log: this.#log,
    });
  }

  /** A route to the upstream that asks for a key; the same again changes nothing. */
  async configure(upstream: string): Promise<void> {
    const service = { id: SERVICE };
    await this.#call('PUT', `/services/${SERVICE}`, { name: 'hello', url: upstream });
    await this.#call('PUT', `/routes/${ROUTE}`, { name: 'hello', paths: [PATH], service });
    await this.#call('PUT', `/plugins/${PLUGIN}`, { name: 'key-auth', service });
    await this.#call('PUT', '/consumers/somebody', {});
    await this.#call('PUT', `/consumers/somebody/key-auth/${CREDENTIAL}`, { key: API_KEY });
  }

  /** Any change. */
  async tag(name: string): Promise<void> {
    await this.#call('PATCH', `/services/${SERVICE}`, { tags: [name] });
  }

  /** Switches the plugin on that nobody but the control plane has; gives its id. */
  async enableOwnPlugin(): Promise<string> {
    const { id } = (await this.#call('POST', '/plugins', { name: 'fallback-probe' })) as { id: string };
    return id;
  }

  async disablePlugin(id: string): Promise<void> {
    await this.#call('DELETE', `/plugins/${id}`);
  }

  /** Waits until these data planes are listed with a configuration that they run, and were seen since (seconds of 1970). */
  async sees(ids: readonly string[], since: number): Promise<void> {
    await until(
      `the control plane sees ${ids.length} data planes with its configuration`,
      async () => {
        const { data } = (await this.#call('GET', '/clustering/data-planes')) as { data: ListedDataPlane[] };
        const current = data.filter(
          ({ id, last_seen, sync_status, config_hash }) =>
            ids.includes(id) && last_seen >= since && sync_status === 'normal' && !/^0*$/.test(config_hash),
        );
        return current.length === ids.length || JSON.stringify(data);
      },
      { ms: SEEN_MS, log: this.#log },
    );
  }

  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#url + path, {
      method,
      signal: AbortSignal.timeout(CALL_MS),
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${tail(text)}\n${this.#log()}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
