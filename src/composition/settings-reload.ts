import type { LoadedSettings } from '../config/index.ts';
import { classify } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Clock } from '../resilience/index.ts';

export interface SettingsReloadOptions {
  /** Finds and reads everything again, files that secrets stand in included. */
  readonly load: () => Promise<LoadedSettings>;
  /** Called when a certificate, a key or another watched secret has changed. */
  readonly changed: (loaded: LoadedSettings) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly findings: Findings;
}

/**
 * Kubernetes swaps the files of a mounted secret behind a symbolic link, which file watchers of the system miss in
 * part; reading them costs some milliseconds.
 */
const EVERY_MS = 30_000;
const FINDING = 'settings-not-reloaded';

/** Certificates and keys, looked at again every 30 s or when asked to, so that their rotation needs no restart. */
export class SettingsReload {
  readonly #options: SettingsReloadOptions;
  #current: string;
  #nap: AbortController | undefined;
  #isWanted = false;

  constructor(current: LoadedSettings, options: SettingsReloadOptions) {
    this.#current = watched(current);
    this.#options = options;
  }

  /** Until the signal fires; never throws. What cannot be read or used leaves what there is in force. */
  async run(signal: AbortSignal): Promise<void> {
    const end = () => this.#nap?.abort();
    signal.addEventListener('abort', end, { once: true });
    while (!signal.aborted) {
      await this.#pause();
      if (!signal.aborted) await this.#look();
    }
    signal.removeEventListener('abort', end);
  }

  /** `run` does not wait for its turn. */
  lookNow(): void {
    this.#isWanted = true;
    this.#nap?.abort();
  }

  async #pause(): Promise<void> {
    const nap = new AbortController();
    this.#nap = nap;
    if (!this.#isWanted) await this.#options.clock.sleep(EVERY_MS, nap.signal).catch(() => {});
    this.#isWanted = false;
  }

  async #look(): Promise<void> {
    const { changed, findings, load, log } = this.#options;
    try {
      const loaded = await load();
      const found = watched(loaded);
      if (found !== this.#current) {
        await changed(loaded);
        this.#current = found;
        log.info(
          { event: 'settings.reloaded' },
          'a certificate or key has changed and is used from now on; sessions that stand go on',
        );
      }
      findings.clear(FINDING, 'settings');
    } catch (thrown) {
      const { code, message, hint } = classify(thrown, 'read the settings again');
      findings.raise({
        code: FINDING,
        about: 'settings',
        severity: 'warning',
        message: `the settings cannot be read again, the former certificates and keys stay in use (${code}): ${message}`,
        ...(hint !== undefined && { hint }),
      });
    }
  }
}

/** What may change without a restart; addresses may not. */
function watched({ settings, entries }: LoadedSettings): string {
  const { controlPlane, relay, signing } = settings;
  return JSON.stringify([
    controlPlane && { ...controlPlane, addresses: undefined },
    relay.certificate,
    relay.key,
    relay.allowedCommonNames,
    signing.publicKeys,
    entries.encryption.map(({ id, use, settings: checked }) => [id, use, checked]),
  ]);
}
