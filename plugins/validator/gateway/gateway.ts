import type {
  CallOptions,
  ConfigDocument,
  Finding,
  PluginContext,
  ValidationContext,
  Validator,
} from 'kongfallback/plugin';
import type { AdminAnswer, AdminApi } from './admin-api.ts';
import { type NoVerdict, noVerdict } from './no-verdict.ts';
import { refusalFindings } from './refusal.ts';
import type { GatewaySettings } from './settings.ts';

/** For a small answer from a gateway that is up. */
const ANSWER_MS = 5000;
const PAUSE_MS = 1000;
const UNREACHABLE = 'Is it running, is url its admin_listen, and is its certificate issued by ca?';

/** What Kong says of the document is the verdict; where it says nothing, the operator has decided what that means. */
export class Gateway implements Validator {
  readonly #api: AdminApi;
  readonly #settings: GatewaySettings;
  readonly #plugin: PluginContext;

  constructor(api: AdminApi, settings: GatewaySettings, plugin: PluginContext) {
    this.#api = api;
    this.#settings = settings;
    this.#plugin = plugin;
  }

  async validate(
    { bytes }: ConfigDocument,
    { gatewayVersion }: ValidationContext,
    { signal }: CallOptions,
  ): Promise<readonly Finding[]> {
    if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before the gateway was asked');
    const { loadSeconds, waitSeconds } = this.#settings;
    const endsAt = this.#plugin.clock.monotonic() + waitSeconds * 1000;
    const root = await this.#until(endsAt, signal, () => this.#call('/', ANSWER_MS, signal));
    if ('reason' in root) return [this.#withoutVerdict(root)];
    const version = versionIn(root.text);
    if (version !== gatewayVersion) return [otherVersion(this.#api.url, version, gatewayVersion)];
    const answer = await this.#until(endsAt, signal, () =>
      this.#call('/config?flatten_errors=1', loadSeconds * 1000, signal, bytes),
    );
    if ('reason' in answer) return [this.#withoutVerdict(answer)];
    return answer.status < 300 ? [] : refusalFindings(answer.text);
  }

  /** Asks again while that may help and there is time. */
  async #until(
    endsAt: number,
    signal: AbortSignal,
    ask: () => Promise<AdminAnswer | NoVerdict>,
  ): Promise<AdminAnswer | NoVerdict> {
    const { clock } = this.#plugin;
    for (;;) {
      const answer = await ask();
      if (!('reason' in answer) || !answer.passes || clock.monotonic() + PAUSE_MS > endsAt) return answer;
      await clock.sleep(PAUSE_MS, signal);
    }
  }

  /** @throws kind `aborted` */
  async #call(
    path: string,
    deadlineMs: number,
    signal: AbortSignal,
    body?: Uint8Array,
  ): Promise<AdminAnswer | NoVerdict> {
    try {
      const call = { deadlineMs, signal };
      const answer = await (body === undefined
        ? this.#api.get(path, call)
        : this.#api.post(path, body, call));
      return noVerdict(answer, body?.length ?? 0) ?? answer;
    } catch (error) {
      if ((error as { kind?: unknown } | null)?.kind !== 'unavailable') throw error;
      return { reason: (error as Error).message, hint: UNREACHABLE, passes: true };
    }
  }

  #withoutVerdict({ reason, hint }: NoVerdict): Finding {
    const refuses = this.#settings.unavailable === 'refuse';
    return {
      code: 'gateway/unavailable',
      severity: refuses ? 'error' : 'warning',
      message: `no gateway has tried the configuration: ${this.#api.url}: ${reason}`,
      hint,
    };
  }
}

/** "3.9.1", and of "3.9.1.2-enterprise-edition" the number. */
function versionIn(text: string): string | undefined {
  try {
    const { version } = JSON.parse(text) as { version?: unknown };
    return typeof version === 'string' ? /^\d+(\.\d+){1,4}/.exec(version)?.[0] : undefined;
  } catch {
    return undefined;
  }
}

/** A gateway of another version would refuse good configurations and accept bad ones: it is not asked at all. */
function otherVersion(url: string, version: string | undefined, expected: string): Finding {
  const is = version === undefined ? 'does not tell its version' : `is ${version}`;
  return {
    code: 'gateway/version',
    severity: 'warning',
    message: `no gateway has tried the configuration: it is for ${expected}, and the one at ${url} ${is}`,
    hint: `Run a gateway ${expected} there, or take this validator out if another version is meant.`,
  };
}
