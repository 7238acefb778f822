import type { Clock, Logger } from '../plugin/plugin.ts';

export type FindingSeverity = 'warning' | 'critical';

/** Something that somebody has to look at, for as long as it is so. */
export interface StandingFinding {
  /** Stable name of the case: "cp-silent", "control-planes-disagree". */
  readonly code: string;
  /** What it is about: a gateway version, a store. */
  readonly about: string;
  readonly severity: FindingSeverity;
  readonly message: string;
  readonly hint?: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What stands now. One log line when a finding appears, worsens or goes, none while it stays. */
export class Findings {
  readonly #standing = new Map<string, StandingFinding>();
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  raise(finding: Omit<StandingFinding, 'since'>): void {
    const key = `${finding.code} ${finding.about}`;
    const former = this.#standing.get(key);
    this.#standing.set(key, { ...finding, since: former?.since ?? this.#clock.now() });
    if (former?.severity === finding.severity) return;
    const { code, about, severity, message, hint } = finding;
    const line = { event: 'finding.raised', finding: code, about, severity, hint };
    if (severity === 'critical') this.#log.error(line, message);
    else this.#log.warn(line, message);
  }

  clear(code: string, about: string): void {
    const former = this.#standing.get(`${code} ${about}`);
    if (former === undefined) return;
    this.#standing.delete(`${code} ${about}`);
    const lastedSeconds = Math.round((this.#clock.now() - former.since) / 1000);
    this.#log.info(
      { event: 'finding.cleared', finding: code, about, lastedSeconds },
      `no longer so: ${former.message}`,
    );
  }

  list(): readonly StandingFinding[] {
    return [...this.#standing.values()];
  }
}
