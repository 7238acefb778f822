import type { Address } from '../../kong/index.ts';
import type { Findings, StandingFinding } from '../../observe/index.ts';
import type { LookAlarm, LookDepth } from './look.ts';

/** How far somebody got with a control plane. */
export type Reach = LookDepth | 'session';

const REACHES: readonly Reach[] = ['tls', 'upgrade', 'session'];
const CODE = 'relay-probe-refused';
/** What it showed us is judged once TLS stands, however far the look meant to go. */
const SEEN_AT_TLS: ReadonlySet<string> = new Set([
  'KF_CP_FOREIGN_CERTIFICATE',
  'KF_CP_UNTRUSTED_CERTIFICATE',
  'KF_CP_EXPIRED_CERTIFICATE',
  'KF_CP_WRONG_NAME',
]);

/** Control planes that answer and will not have us: what stands until one got as far as where it was refused. */
export class Alarms {
  readonly #findings: Findings;
  readonly #reachOf = new Map<string, Reach>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  raise(address: Address['text'], alarm: LookAlarm, reach: Reach): void {
    this.#reachOf.set(address, SEEN_AT_TLS.has(alarm.code) ? 'tls' : reach);
    this.#findings.raise({
      code: 'relay-probe-refused',
      about: address,
      severity: 'warning',
      message: `${alarm.message} (${alarm.code}); data planes still go there`,
      ...(alarm.hint !== undefined && { hint: alarm.hint }),
    });
  }

  /** Somebody got that far without being refused. */
  passed(address: Address['text'], reach: Reach): void {
    const refusedAt = this.#reachOf.get(address);
    if (refusedAt === undefined || REACHES.indexOf(reach) < REACHES.indexOf(refusedAt)) return;
    this.#reachOf.delete(address);
    this.#findings.clear(CODE, address);
  }

  /** True when only a look of that depth can tell that an alarm is over. */
  needs(depth: LookDepth): boolean {
    return [...this.#reachOf.values()].includes(depth);
  }

  list(): readonly StandingFinding[] {
    return this.#findings.list().filter(({ code }) => code === CODE);
  }
}
