import type { Findings } from '../../observe/index.ts';
import type { Clock } from '../../plugin/plugin.ts';

/** A bound on what anybody with the certificate can make up. */
const MAX_VERSIONS = 32;
/** A data plane that is turned away comes again after 5 to 10 s. */
const FORGOTTEN_AFTER_MS = 60_000;

/** Versions that data planes came with and that no snapshot is there for. */
export class UnknownVersions {
  readonly #clock: Clock;
  readonly #findings: Findings;
  readonly #seenAt = new Map<string, number>();

  constructor(clock: Clock, findings: Findings) {
    this.#clock = clock;
    this.#findings = findings;
  }

  /** @param there versions that there are snapshots for */
  seen(version: string, there: readonly string[]): void {
    if (!this.#seenAt.has(version) && this.#seenAt.size >= MAX_VERSIONS) return;
    this.#seenAt.set(version, this.#clock.monotonic());
    this.#findings.raise({
      code: 'data-plane-version-unknown',
      about: version,
      severity: 'critical',
      message: `data planes of ${version} find no snapshot of their version; there is ${list(there)}`,
      hint: 'Add it to gatewayVersions of the exporter while the control plane is up: a data plane takes only what was exported for its own version.',
    });
  }

  /** Such a data plane is served. */
  served(version: string): void {
    if (this.#seenAt.delete(version)) this.#findings.clear('data-plane-version-unknown', version);
  }

  /** Versions that a data plane came with in the last minute. */
  get size(): number {
    return this.#seenAt.size;
  }

  tick(now: number): void {
    for (const [version, at] of this.#seenAt) {
      if (now - at >= FORGOTTEN_AFTER_MS) this.served(version);
    }
  }
}

export function list(versions: readonly string[]): string {
  return versions.length === 0 ? 'none' : versions.slice(0, MAX_VERSIONS).join(', ');
}
