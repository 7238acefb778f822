import type { LineHeads } from './line-heads.ts';
import type { ExportOutcome } from './outcome.ts';

export interface SettleOptions {
  readonly signal: AbortSignal;
  /** Of the head that was written from an earlier frame of the same session. */
  readonly ownNonce?: string | undefined;
  /**
   * `due`: equal content is confirmed only when its confirmation is due. `always`: also with newer evidence, so that
   * its `asOf` rises (DESIGN.md D6).
   */
  readonly confirm: 'due' | 'always';
  /** Lets findings pass that a validator marked acceptable; recorded in the head. */
  readonly acceptReason?: string | undefined;
}

export interface Settled {
  readonly outcome: ExportOutcome;
  /** The heads as they are now. */
  readonly heads: LineHeads;
  /** Of the head that this wrote. */
  readonly nonce: string | undefined;
}
