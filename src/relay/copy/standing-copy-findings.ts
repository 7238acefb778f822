import type { FallbackError } from '../../errors/index.ts';
import type { Findings } from '../../observe/index.ts';
import type { Finding } from '../../plugin/index.ts';
import type { PreparedFrame } from '../prepared-frame.ts';
import { frameHeaderBytes } from './frame-header.ts';

/** Kong's `cluster_max_payload` as it is set by default, compressed bytes: 4 MiB before 3.4. */
const DEFAULT_MAX_PAYLOAD_BYTES = 16_777_216;
const FORMER_MAX_PAYLOAD_BYTES = 4_194_304;

/** What stands about one line's stored configuration. */
export class StandingCopyFindings {
  readonly #about: string;
  readonly #expected: boolean;
  readonly #findings: Findings;
  #noted: readonly Finding[] = [];
  #isOver = false;

  constructor(gatewayVersion: string, expected: boolean, findings: Findings) {
    this.#about = gatewayVersion;
    this.#expected = expected;
    this.#findings = findings;
  }

  /** It was looked at, and is what the stores hold; with what was noticed on the way. */
  fresh(noticed: readonly Finding[]): void {
    this.#findings.clear('standing-copy-stale', this.#about);
    this.#findings.clear('standing-copy-missing', this.#about);
    this.#note(noticed);
  }

  /**
   * What is held stays, although the stores did not give theirs.
   *
   * @param noticed why first
   */
  stale(noticed: readonly Finding[], asOf: string): void {
    this.#note(noticed);
    const [first] = noticed;
    if (first !== undefined) this.#stale(first, asOf);
  }

  /** @param asOf of what is held; undefined: nothing is */
  failed(
    { message, hint = 'The relay goes on trying; look at the storage.' }: FallbackError,
    asOf: string | undefined,
  ): void {
    if (asOf !== undefined) {
      this.#stale({ message, hint }, asOf);
      return;
    }
    this.#raise({
      code: 'standing-copy-missing',
      about: this.#about,
      severity: this.#expected ? 'critical' : 'warning',
      message: `there is no stored configuration for data planes of ${this.#about}: ${message}`,
      hint,
    });
  }

  /** A frame was built; it is given out whatever its size. */
  built(frame: PreparedFrame): void {
    const payload = frame.length - frameHeaderBytes(frame.pieces[0] ?? new Uint8Array());
    const limit = defaultMaxPayload(this.#about);
    if (payload <= limit) {
      this.#findings.clear('frame-above-max-payload', this.#about);
      return;
    }
    this.#raise({
      code: 'frame-above-max-payload',
      about: this.#about,
      severity: 'warning',
      message: `the configuration for ${this.#about} has ${payload} bytes compressed, ${limit} are what a data plane takes by default`,
      hint: 'Data planes need a higher cluster_max_payload than Kong has by default, for the control plane as for the relay.',
    });
  }

  /** Nothing stands any more, nor will. */
  end(): void {
    this.#isOver = true;
    for (const code of ['standing-copy-stale', 'standing-copy-missing', 'frame-above-max-payload']) {
      this.#findings.clear(code, this.#about);
    }
    this.#note([]);
  }

  #raise(finding: Parameters<Findings['raise']>[0]): void {
    if (!this.#isOver) this.#findings.raise(finding);
  }

  #stale({ message, hint }: Pick<Finding, 'message' | 'hint'>, asOf: string): void {
    this.#findings.clear('standing-copy-missing', this.#about);
    this.#raise({
      code: 'standing-copy-stale',
      about: this.#about,
      severity: 'warning',
      message: `the stored configuration for ${this.#about} could not be looked at, that of ${asOf} stays: ${message}`,
      ...(hint !== undefined && { hint }),
    });
  }

  /** Those of restoring keep their codes; one of each stands at a time. */
  #note(noticed: readonly Finding[]): void {
    for (const { code } of this.#noted) {
      if (!noticed.some((finding) => finding.code === code)) this.#findings.clear(code, this.#about);
    }
    if (this.#isOver) return;
    this.#noted = noticed;
    for (const { code, message, hint } of noticed) {
      const line = { code, about: this.#about, severity: 'warning' as const, message };
      this.#raise({ ...line, ...(hint !== undefined && { hint }) });
    }
  }
}

function defaultMaxPayload(gatewayVersion: string): number {
  const [major = 0, minor = 0] = gatewayVersion.split('.').map(Number);
  return major < 3 || (major === 3 && minor < 4) ? FORMER_MAX_PAYLOAD_BYTES : DEFAULT_MAX_PAYLOAD_BYTES;
}
