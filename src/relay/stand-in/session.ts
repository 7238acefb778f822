import type { TLSSocket } from 'node:tls';
import type WebSocket from 'ws';
import type { FallbackError } from '../../errors/index.ts';
import type { Provision } from '../provision.ts';
import { compareHash, isEmptyHash } from './compare-hash.ts';
import { FrameWriter } from './frame-writer.ts';
import { type Introduction, isGatewayVersion, missingPlugins, readIntroduction } from './introduction.ts';
import { describeErrorMessage } from './node-error.ts';
import { plainText } from './plain-text.ts';
import { refusal } from './refusal.ts';
import type { Caller, SessionRules, SessionState, StandInSession } from './session-rules.ts';
import { list } from './unknown-versions.ts';

/** After our close frame, before the socket is destroyed. */
const LINGER_MS = 1000;
/** A data plane pings every 30 s and after each apply, and reports one error for each frame. */
const MAX_PINGS_IN_A_TICK = 100;
const MAX_ERROR_MESSAGES = 64;

/** Plays control plane to one data plane on `/v1/outlet`, from the 101 on. */
export class OutletSession implements StandInSession {
  readonly nodeId: string;
  readonly hostname: string;
  readonly gatewayVersion: string;
  readonly since: number;
  readonly #caller: Caller;
  readonly #socket: TLSSocket;
  readonly #rules: SessionRules;
  readonly #writer: FrameWriter;
  #state: SessionState = 'handshake';
  #hash: string | undefined;
  #introduction: Introduction | undefined;
  #provision: Provision | undefined;
  #sent: Provision | undefined;
  /** Monotonic milliseconds, as all that follow. */
  #writtenAt: number | undefined;
  #openedAt: number;
  #introducedAt: number | undefined;
  #heardAt: number;
  #closingAt: number | undefined;
  #pings = 0;
  #errorMessages = 0;

  constructor(websocket: WebSocket, socket: TLSSocket, caller: Caller, rules: SessionRules) {
    this.nodeId = caller.nodeId;
    this.hostname = caller.hostname;
    this.gatewayVersion = caller.gatewayVersion;
    this.since = rules.clock.now();
    this.#caller = caller;
    this.#socket = socket;
    this.#rules = rules;
    this.#openedAt = this.#heardAt = rules.clock.monotonic();
    this.#writer = new FrameWriter(socket, rules.clock, (frame) => {
      if (frame === this.#sent?.frame) this.#writtenAt = rules.clock.monotonic();
    });
    websocket
      .on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary))
      .on('ping', (data) => this.#onPing(data))
      .on('error', (error) => this.#onError(error))
      .on('close', () => rules.crowds.leave(this));
  }

  get state(): SessionState {
    return this.#state;
  }

  get hash(): string | undefined {
    return this.#hash;
  }

  /** True from our goodbye on. */
  get closing(): boolean {
    return this.#closingAt !== undefined;
  }

  /** Bytes of frames written. */
  get bytes(): number {
    return this.#writer.bytes;
  }

  /** Gives the data plane back: it dials again after 5 to 10 s. A frame in flight is finished. */
  release(): void {
    if (this.closing) return;
    this.#closingAt = this.#rules.clock.monotonic();
    this.#writer.close();
  }

  destroy(): void {
    this.#closingAt ??= this.#rules.clock.monotonic();
    this.#socket.destroy();
  }

  /** There may be another provision for its version: sends it, unless the data plane has it or is ahead. */
  provisionChanged(): void {
    const introduction = this.#introduction;
    const provision = this.#rules.provision(this.gatewayVersion);
    if (introduction === undefined || this.closing || provision === undefined) return;
    if (provision === this.#provision) return;
    this.#provision = provision;
    if (this.#isLacking(provision, introduction)) return;
    if (this.#hash === undefined && this.#sent === undefined) this.#state = 'greeting';
    else if (this.#sent !== undefined || this.#state === 'current') this.#replace(provision);
    else this.#answer(this.#hash ?? '', provision);
  }

  /** Deadlines. */
  tick(now: number): void {
    const { limits } = this.#rules;
    const { busySince } = this.#writer;
    this.#pings = 0;
    if (busySince !== undefined && now - busySince >= limits.stallMs) {
      this.#drop('KF_RELAY_STALLED', `has taken nothing for ${limits.stallMs / 1000} s`);
    } else if (this.#closingAt !== undefined) {
      if (busySince === undefined && now - this.#closingAt >= LINGER_MS) this.#socket.destroy();
    } else if (this.#introducedAt === undefined) {
      if (now - this.#openedAt < limits.introduceMs) return;
      this.#refuse(refusal('KF_RELAY_NO_BASIC_INFO', `${this.#name()} did not say what it is`));
    } else if (now - this.#heardAt >= limits.silenceMs) {
      this.#drop('KF_RELAY_GONE', `has sent nothing for ${limits.silenceMs / 1000} s`);
    } else if (this.#isWaitingForPing() && now - this.#introducedAt >= limits.firstPingMs) {
      this.#send(this.#provision);
    }
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.closing) return;
    this.#heardAt = this.#rules.clock.monotonic();
    if (this.#introduction === undefined) this.#introduce(data, isBinary);
    else if (isBinary) this.#onErrorMessage(data);
    else this.#refuse(refusal('KF_RELAY_PROTOCOL_ERROR', `${this.#name()} sent a text frame`));
  }

  #introduce(data: Buffer, isBinary: boolean): void {
    let introduction: Introduction;
    try {
      introduction = readIntroduction(data, isBinary);
    } catch (error) {
      this.#refuse(error as FallbackError);
      return;
    }
    const { gatewayVersion, nodeId } = this;
    const { onSeen, unknownVersions, versions } = this.#rules;
    if (!isGatewayVersion(gatewayVersion)) {
      const message = `${this.#name()} says its version is ${JSON.stringify(gatewayVersion)}`;
      this.#refuse(refusal('KF_RELAY_VERSION_INVALID', message));
      return;
    }
    this.#introduction = introduction;
    this.#introducedAt = this.#rules.clock.monotonic();
    onSeen({ gatewayVersion, nodeId, plugins: [...introduction.plugins] });
    const provision = this.#rules.provision(gatewayVersion);
    if (provision === undefined) {
      const there = versions();
      unknownVersions.seen(gatewayVersion, there);
      const message = `there is no snapshot for data planes of ${gatewayVersion}; there is ${list(there)}`;
      this.#refuse(refusal('KF_RELAY_NO_SNAPSHOT', message));
      return;
    }
    unknownVersions.served(gatewayVersion);
    this.#provision = provision;
    if (!this.#isLacking(provision, introduction)) this.#state = 'greeting';
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
    crowds.enter(this, 'plugin-missing', this.gatewayVersion, names);
    refusals.refused(
      refusal('KF_RELAY_PLUGIN_MISSING', `${this.#name()} lacks plugins that are in use: ${names}`),
      this.#caller,
    );
    return true;
  }

  #onPing(data: Buffer): void {
    if (this.closing) return;
    this.#heardAt = this.#rules.clock.monotonic();
    if (this.#introduction === undefined || ++this.#pings > MAX_PINGS_IN_A_TICK) {
      const what = this.#introduction === undefined ? 'before it said what it is' : 'without end';
      this.#refuse(refusal('KF_RELAY_PROTOCOL_ERROR', `${this.#name()} pings ${what}`));
      return;
    }
    this.#hash = plainText(data.toString('latin1'));
    this.#writer.pong();
    if (this.#provision !== undefined && this.#state !== 'refused') {
      this.#answer(this.#hash, this.#provision);
    }
  }

  #answer(hash: string, provision: Provision): void {
    if (this.#sent === provision) this.#acknowledge(hash, provision);
    else {
      const verdict = compareHash(hash, provision);
      if (verdict === 'lacking') this.#send(provision);
      else if (verdict === 'current') this.#settle('current');
      else {
        this.#state = 'ahead';
        this.#rules.crowds.enter(this, 'ahead', this.gatewayVersion);
      }
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
    crowds.enter(this, 'rejected', this.gatewayVersion);
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

  #send(provision: Provision | undefined): void {
    if (provision === undefined) return;
    this.#state = 'greeting';
    this.#sent = provision;
    this.#writtenAt = undefined;
    this.#rules.crowds.leave(this);
    this.#writer.send(provision.frame);
  }

  #isWaitingForPing(): boolean {
    return this.#state === 'greeting' && this.#hash === undefined && this.#sent === undefined;
  }

  /** Of `konnect_mode`; a real control plane on premises would close. */
  #onErrorMessage(data: Buffer): void {
    if (++this.#errorMessages > MAX_ERROR_MESSAGES) {
      this.#refuse(refusal('KF_RELAY_PROTOCOL_ERROR', `${this.#name()} sends one message after the other`));
      return;
    }
    const said = describeErrorMessage(data);
    this.#rules.log.warn(
      { event: 'relay.data-plane-error', ...this.#caller, ...said },
      'a data plane reports an error',
    );
  }

  #onError(error: Error): void {
    if (!this.closing) {
      const code = String((error as { code?: unknown }).code ?? error.message);
      if (code.startsWith('WS_ERR_')) {
        const message = `${this.#name()} broke the WebSocket protocol (${code})`;
        this.#rules.refusals.refused(refusal('KF_RELAY_PROTOCOL_ERROR', message, error), this.#caller);
      }
    }
    this.destroy();
  }

  #refuse(error: FallbackError): void {
    this.#rules.refusals.refused(error, this.#caller);
    this.#state = 'refused';
    this.release();
  }

  #drop(code: 'KF_RELAY_STALLED' | 'KF_RELAY_GONE', what: string): void {
    this.#rules.refusals.stalled(refusal(code, `${this.#name()} ${what}`), this.#caller);
    this.destroy();
  }

  #name(): string {
    return this.hostname === '' ? `data plane ${this.nodeId}` : `data plane ${this.hostname}`;
  }
}
