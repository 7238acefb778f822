import { classify } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Clock, Logger } from '../plugin/plugin.ts';

/** What somebody saw of a data plane: its exact version, and the plugins that it announced. */
export interface SeenGateway {
  readonly gatewayVersion: string;
  readonly plugins: readonly string[];
}

export interface LearntVersionsDependencies {
  /** Of the settings: these have a line anyway. */
  readonly known: readonly string[];
  /** Follows a line of that version until the signal fires. */
  readonly follow: (gatewayVersion: string, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly findings: Findings;
}

/** A fleet has few versions at a time, and who says that there are more need not be right. */
const MOST_VERSIONS = 8;
const FORGOTTEN_MS = 7 * 86_400_000;
const MOST_PLUGINS = 1000;
const MOST_NAME_CHARACTERS = 128;
const EXACT = /^\d{1,4}(\.\d{1,4}){2,3}$/;
const FINDING = 'version-not-in-settings';

interface Learnt {
  seenAt: number;
  readonly stop: AbortController;
}

/** Gateway versions that are in use and not in the settings: each gets a line of its own until it is seen no more. */
export class LearntVersions {
  readonly #deps: LearntVersionsDependencies;
  readonly #lines = new Map<string, Learnt>();
  readonly #plugins = new Map<string, Set<string>>();
  /** Also those whose version was forgotten, until they have ended. */
  readonly #following = new Set<Promise<void>>();

  constructor(deps: LearntVersionsDependencies) {
    this.#deps = deps;
  }

  /** Cheap: called for each data plane that dials. What is no exact version, or one too many, changes nothing. */
  learn({ gatewayVersion, plugins }: SeenGateway): void {
    this.forget();
    if (gatewayVersion.length > MOST_NAME_CHARACTERS || !EXACT.test(gatewayVersion)) return;
    const learnt = this.#lines.get(gatewayVersion);
    if (learnt !== undefined) learnt.seenAt = this.#deps.clock.monotonic();
    else if (!this.#deps.known.includes(gatewayVersion) && !this.#begin(gatewayVersion)) return;
    this.#widen(gatewayVersion, plugins);
  }

  /** Ends the lines of versions that nobody has seen for a week. Their snapshots stay. */
  forget(): void {
    for (const [version, { seenAt, stop }] of this.#lines) {
      if (this.#deps.clock.monotonic() - seenAt < FORGOTTEN_MS) continue;
      stop.abort();
      this.#lines.delete(version);
      this.#plugins.delete(version);
      const { findings } = this.#deps;
      // Also what its line had to say.
      for (const { code, about } of findings.list()) {
        if (about === version || about.startsWith(`${version} `)) findings.clear(code, about);
      }
    }
  }

  /** Plugins that data planes of this version announced. */
  pluginsOf(gatewayVersion: string): readonly string[] {
    return [...(this.#plugins.get(gatewayVersion) ?? [])];
  }

  /** Every line to its end. */
  async close(): Promise<void> {
    for (const { stop } of this.#lines.values()) stop.abort();
    await Promise.all(this.#following);
  }

  #begin(gatewayVersion: string): boolean {
    if (this.#lines.size >= MOST_VERSIONS) return false;
    const { clock, findings, follow, log } = this.#deps;
    const stop = new AbortController();
    log.info(
      { event: 'export.version-learnt', gatewayVersion },
      `a data plane of ${gatewayVersion} dialled: this version is exported from now on`,
    );
    findings.raise({
      code: FINDING,
      about: gatewayVersion,
      severity: 'warning',
      message: `data planes of ${gatewayVersion} are in use, and gatewayVersions does not list it: it is exported until this process ends`,
      hint: `Add "${gatewayVersion}" to gatewayVersions, so that it is exported from the start.`,
    });
    const learnt = { seenAt: clock.monotonic(), stop };
    this.#lines.set(gatewayVersion, learnt);
    const following = follow(gatewayVersion, stop.signal)
      .catch((thrown: unknown) => {
        const { code, hint, message } = classify(thrown, `export of ${gatewayVersion}`);
        log.error({ event: 'export.version-failed', gatewayVersion, code, hint }, message);
        // The next data plane of it that is seen begins it anew; it may have been begun anew already.
        if (this.#lines.get(gatewayVersion) !== learnt) return;
        this.#lines.delete(gatewayVersion);
        this.#plugins.delete(gatewayVersion);
      })
      .finally(() => this.#following.delete(following));
    this.#following.add(following);
    return true;
  }

  #widen(gatewayVersion: string, plugins: readonly string[]): void {
    const names = this.#plugins.get(gatewayVersion) ?? new Set();
    for (const name of plugins.slice(0, MOST_PLUGINS)) {
      if (names.size >= MOST_PLUGINS) break;
      if (name !== '' && name.length <= MOST_NAME_CHARACTERS) names.add(name);
    }
    this.#plugins.set(gatewayVersion, names);
  }
}
