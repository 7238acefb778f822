import type { Head } from '../snapshot/head.ts';
import type { ExportOutcome } from './outcome.ts';

/** What is known of a line that is being followed; for health, metrics and `status`. Times are milliseconds since 1970. */
export interface LineState {
  readonly gatewayVersion: string;
  readonly controlPlane: 'unknown' | 'up' | 'down';
  readonly controlPlaneSince: number;
  readonly connected: boolean;
  /** Of the newest head known here. */
  readonly sequence: number | null;
  readonly configHash: string | null;
  readonly counts: Readonly<Record<string, number>> | null;
  readonly aliveAt: number | null;
  readonly confirmedAt: number | null;
  readonly lastOutcome: ExportOutcome['outcome'] | null;
  readonly lastOutcomeAt: number | null;
  /** Since when configurations are refused; null: they are not. */
  readonly blockedSince: number | null;
  /** Since when a configuration waits for a store; null: none does. */
  readonly pendingSince: number | null;
  /** Outcomes so far, and `failed`. */
  readonly exports: Readonly<Record<string, number>>;
  /** Of the last publication, milliseconds from the frame to the stores. */
  readonly lastExportMs: number | null;
}

export class LineStatus {
  #state: LineState;

  constructor(gatewayVersion: string, now: number) {
    this.#state = {
      gatewayVersion,
      controlPlane: 'unknown',
      controlPlaneSince: now,
      connected: false,
      sequence: null,
      configHash: null,
      counts: null,
      aliveAt: null,
      confirmedAt: null,
      lastOutcome: null,
      lastOutcomeAt: null,
      blockedSince: null,
      pendingSince: null,
      exports: {},
      lastExportMs: null,
    };
  }

  get state(): LineState {
    return this.#state;
  }

  update(change: Partial<LineState>): void {
    this.#state = { ...this.#state, ...change };
  }

  /** @returns whether that is a change */
  controlPlane(state: 'up' | 'down', now: number): boolean {
    if (this.#state.controlPlane === state) return false;
    this.update({ controlPlane: state, controlPlaneSince: now });
    return true;
  }

  head(head: Head | undefined): void {
    if (head === undefined) return;
    const [current] = head.entries;
    this.update({
      sequence: head.sequence,
      configHash: current?.configHash ?? null,
      counts: current?.counts ?? null,
      aliveAt: Date.parse(head.aliveAt),
      confirmedAt: Date.parse(head.confirmedAt),
    });
  }

  count(outcome: ExportOutcome['outcome'] | 'failed', now: number): void {
    const { exports } = this.#state;
    this.update({ exports: { ...exports, [outcome]: (exports[outcome] ?? 0) + 1 } });
    if (outcome !== 'failed') this.update({ lastOutcome: outcome, lastOutcomeAt: now, pendingSince: null });
  }
}
