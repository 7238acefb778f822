import type { PreparedFrame } from '../prepared-frame.ts';
import type { Provision } from '../provision.ts';
import { callerName } from './caller-name.ts';
import { compareHash, isEmptyHash } from './compare-hash.ts';
import { type Introduction, missingPlugins } from './introduction.ts';
import { plainText } from './plain-text.ts';
import { refusal } from './refusal.ts';
import type { Caller, SessionRules, SessionState } from './session-rules.ts';

/** Whether one data plane needs the frame, was sent it and took it; the session brings what it says of itself. */
export class Delivery {
  readonly #caller: Caller;
  readonly #rules: SessionRules;
  readonly #write: (frame: PreparedFrame) => void;
  #state: SessionState = 'handshake';
  #hash: string | undefined;
  #introduction: Introduction | undefined;
  #provision: Provision | undefined;
  #sent: Provision | undefined;
  /** Monotonic milliseconds. */
  #writtenAt: number | undefined;

  constructor(caller: Caller, rules: SessionRules, write: (frame: PreparedFrame) => void) {
    this.#caller = caller;
    this.#rules = rules;
    this.#write = write;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Of the last ping; undefined before the first. */
  get hash(): string | undefined {
    return this.#hash;
  }

  get isWaitingForPing(): boolean {
    return this.#state === 'greeting' && this.#hash === undefined && this.#sent === undefined;
  }

  begin(introduction: Introduction, provision: Provision): void {
    this.#introduction = introduction;
    this.#provision = provision;
    if (!this.#isLacking(provision, introduction)) this.#state = 'greeting';
  }

  /** There may be another provision for its version: sends it, unless the data plane has it or is ahead. */
  provisionChanged(): void {
    const introduction = this.#introduction;
    const provision = this.#rules.provision(this.#caller.gatewayVersion);
    if (introduction === undefined || provision === undefined || provision === this.#provision) return;
    this.#provision = provision;
    if (this.#isLacking(provision, introduction)) return;
    if (this.#hash === undefined && this.#sent === undefined) this.#state = 'greeting';
    else if (this.#sent !== undefined || this.#state === 'current') this.#replace(provision);
    else this.#answer(this.#hash ?? '', provision);
  }

  pinged(hash: string): void {
    this.#hash = hash;
    if (this.#provision !== undefined && this.#state !== 'refused') this.#answer(hash, this.#provision);
  }

  /** To one that never pings. */
  sendUnasked(): void {
    if (this.#provision !== undefined) this.#send(this.#provision);
  }

  /** The last byte of a frame has left. */
  written(frame: PreparedFrame): void {
    if (frame === this.#sent?.frame) this.#writtenAt = this.#rules.clock.monotonic();
  }

  /** It is being turned away. */
  refused(): void {
    this.#state = 'refused';
  }

  /** The session is over. */
  end(): void {
    this.#rules.crowds.leave(this);
  }

  /** As a control plane does, stays connected and sends nothing when a plugin in use is missing. */
  #isLacking(provision: Provision, introduction: Introduction): boolean {
    const missing = missingPlugins(provision.plugins, introduction);
    const { crowds, refusals } = this.#rules;
    if (missing.length === 0) {
      if (this.#state === 'refused') crowds.leave(this);
      return false;
    }
    const names = plainText(missing.join(', '));
    this.#state = 'refused';
    crowds.enter(this, 'plugin-missing', this.#caller.gatewayVersion, names);
    const message = `${callerName(this.#caller)} lacks plugins that are in use: ${names}`;
    refusals.refused(refusal('KF_RELAY_PLUGIN_MISSING', message), this.#caller);
    return true;
  }

  #answer(hash: string, provision: Provision): void {
    if (this.#sent === provision) {
      this.#acknowledge(hash, provision);
      return;
    }
    const verdict = compareHash(hash, provision);
    if (verdict === 'lacking') this.#send(provision);
    else if (verdict === 'current') this.#settle('current');
    else {
      this.#state = 'ahead';
      this.#rules.crowds.enter(this, 'ahead', this.#caller.gatewayVersion);
    }
  }

  /** A ping alone acknowledges nothing: up to 3.5 one comes after a rejection too, with the old hash. */
  #acknowledge(hash: string, provision: Provision): void {
    if (provision.configHash === null ? !isEmptyHash(hash) : hash === provision.configHash) {
      this.#settle('served');
      return;
    }
    const { clock, crowds, limits } = this.#rules;
    if (this.#writtenAt === undefined) return;
    if (clock.monotonic() - this.#writtenAt < limits.rejectedAfterMs) return;
    crowds.enter(this, 'rejected', this.#caller.gatewayVersion);
  }

  #settle(state: 'served' | 'current'): void {
    this.#state = state;
    this.#rules.crowds.leave(this);
  }

  #replace(provision: Provision): void {
    const settled = this.#state === 'served' || this.#state === 'current';
    if (settled && this.#hash === provision.configHash) this.#sent = provision;
    else this.#send(provision);
  }

  #send(provision: Provision): void {
    this.#state = 'greeting';
    this.#sent = provision;
    this.#writtenAt = undefined;
    this.#rules.crowds.leave(this);
    this.#write(provision.frame);
  }
}
