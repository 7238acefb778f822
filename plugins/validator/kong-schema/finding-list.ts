import type { Finding } from 'kongfallback/plugin';

/** What one run may report; the rest is counted. */
const MAX_FINDINGS = 50;

export interface Problem {
  /** The part after `kong-schema/`. */
  readonly rule: string;
  readonly message: string;
  readonly hint: string;
  readonly path: readonly string[];
  /** A real data plane was recorded refusing this, so it counts also in a control plane's own document. */
  readonly recorded: boolean;
}

/** Findings of one document, bounded: errors before warnings, then one line for all that did not fit. */
export class FindingList {
  readonly #fromControlPlane: boolean;
  readonly #errors: Finding[] = [];
  readonly #warnings: Finding[] = [];
  #errorCount = 0;
  #warningCount = 0;

  constructor(fromControlPlane: boolean) {
    this.#fromControlPlane = fromControlPlane;
  }

  /** A control plane knows its configuration better than this validator: what nobody recorded only warns. */
  add(problem: Problem): void {
    if (problem.recorded || !this.#fromControlPlane) this.#error(problem);
    else this.warn(problem);
  }

  warn(problem: Omit<Problem, 'recorded'>): void {
    if (this.#warningCount++ < MAX_FINDINGS) this.#warnings.push(finding('warning', problem));
  }

  #error(problem: Problem): void {
    if (this.#errorCount++ < MAX_FINDINGS) this.#errors.push(finding('error', problem));
  }

  all(): readonly Finding[] {
    const shown = [...this.#errors, ...this.#warnings].slice(0, MAX_FINDINGS);
    const more = this.#errorCount + this.#warningCount - shown.length;
    if (more === 0) return shown;
    const severity = this.#errorCount > MAX_FINDINGS ? 'error' : 'warning';
    return [...shown, { code: 'kong-schema/more', severity, message: `and ${more} more findings` }];
  }
}

function finding(
  severity: Finding['severity'],
  { rule, message, hint, path }: Omit<Problem, 'recorded'>,
): Finding {
  return { code: `kong-schema/${rule}`, severity, message, hint, path };
}
