import type { FallbackError } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Hold } from '../snapshot/head.ts';
import type { ExportOutcome } from './outcome.ts';

/** Where publishing fails: what judges or reads a configuration, what seals it, what stores it. */
const FAILING = ['validators-fail', 'sealing-fails', 'stores-unwritable'] as const;

function failing({ code }: FallbackError): (typeof FAILING)[number] {
  if (/^KF_(VALIDATOR|WORKER|DOCUMENT)_/.test(code)) return 'validators-fail';
  return /^KF_(ENCRYPTION|KEY)_/.test(code) ? 'sealing-fails' : 'stores-unwritable';
}

/** The standing findings of one line, by what happened. Codes are documented in the README of src/observe. */
export class LineFindings {
  readonly #findings: Findings;
  readonly #version: string;

  constructor(findings: Findings, gatewayVersion: string) {
    this.#findings = findings;
    this.#version = gatewayVersion;
  }

  /** A frame came: there is a control plane, and it speaks. */
  heard(): void {
    for (const code of ['control-plane-unreachable', 'cp-silent']) this.#findings.clear(code, this.#version);
  }

  unreachable(error: FallbackError): void {
    const silent = error.code === 'KF_CP_SILENT';
    this.#raise(
      silent ? 'cp-silent' : 'control-plane-unreachable',
      silent ? 'critical' : 'warning',
      `${error.message} [${error.code}]`,
      error.hint,
    );
  }

  storesFail(error: FallbackError): void {
    this.#raise(failing(error), 'critical', `${error.message} [${error.code}]`, error.hint);
  }

  settled(outcome: ExportOutcome, blockedMs: number, criticalAfterMs: number): void {
    for (const code of FAILING) this.#findings.clear(code, this.#version);
    if (outcome.outcome !== 'older') this.#findings.clear('control-planes-disagree', this.#version);
    switch (outcome.outcome) {
      case 'refused': {
        const why = outcome.findings.find(({ severity }) => severity === 'error');
        this.#raise(
          'configuration-refused',
          blockedMs >= criticalAfterMs ? 'critical' : 'warning',
          `the control plane's configuration is not published: ${why?.message ?? 'a validator refused it'}`,
          why?.hint ?? 'The former one stays; `export --accept-shrinkage` lets a shrunken one pass once.',
        );
        return;
      }
      case 'older':
        this.#raise(
          'control-planes-disagree',
          'critical',
          'a store holds a newer configuration than this control plane sends',
          'Look for a control plane with a dead database or a lagging replica.',
        );
        return;
      default:
        this.#findings.clear('configuration-refused', this.#version);
    }
  }

  /** @param hold of the head as it is now */
  held({ outcome }: ExportOutcome, hold: Hold | null): void {
    if (outcome !== 'held' || hold === null) {
      this.#findings.clear('held', this.#version);
      return;
    }
    const { by, reason, since, until } = hold;
    this.#raise(
      'held',
      'warning',
      `what the control plane sends is held back since ${since}${until === null ? '' : `, until ${until}`}, by the rollback of ${by}: ${reason}`,
      'Correct it in the control plane: a new configuration is published and ends the hold. Or run `kongfallback rollback --resume`.',
    );
  }

  #raise(code: string, severity: 'warning' | 'critical', message: string, hint: string | undefined): void {
    const about = this.#version;
    this.#findings.raise({ code, about, severity, message, ...(hint !== undefined && { hint }) });
  }
}
