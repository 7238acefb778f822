import type { TLSSocket } from 'node:tls';
import type WebSocket from 'ws';
import type { FallbackError } from '../../errors/index.ts';
import { callerName } from './caller-name.ts';
import { Delivery } from './delivery.ts';
import { FrameWriter } from './frame-writer.ts';
import { type Introduction, isGatewayVersion, readIntroduction } from './introduction.ts';
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
  readonly #delivery: Delivery;
  /** Monotonic milliseconds, as all that follow. */
  readonly #openedAt: number;
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
    this.#writer = new FrameWriter(socket, rules.clock, (frame) => this.#delivery.written(frame));
    this.#delivery = new Delivery(caller, rules, (frame) => this.#writer.send(frame));
    websocket
      .on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary))
      .on('ping', (data) => this.#onPing(data))
      .on('error', (error) => this.#onError(error))
      .on('close', () => this.#delivery.end());
  }

  get state(): SessionState {
    return this.#delivery.state;
  }

  get hash(): string | undefined {
    return this.#delivery.hash;
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

  /** There may be another provision for its version. */
  provisionChanged(): void {
    if (!this.closing) this.#delivery.provisionChanged();
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
      this.#refuse(refusal('KF_RELAY_NO_BASIC_INFO', `${callerName(this.#caller)} did not say what it is`));
    } else if (now - this.#heardAt >= limits.silenceMs) {
      this.#drop('KF_RELAY_GONE', `has sent nothing for ${limits.silenceMs / 1000} s`);
    } else if (this.#delivery.isWaitingForPing && now - this.#introducedAt >= limits.firstPingMs) {
      this.#delivery.sendUnasked();
    }
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.closing) return;
    this.#heardAt = this.#rules.clock.monotonic();
    if (this.#introducedAt === undefined) this.#introduce(data, isBinary);
    else if (isBinary) this.#onErrorMessage(data);
    else this.#refuse(refusal('KF_RELAY_PROTOCOL_ERROR', `${callerName(this.#caller)} sent a text frame`));
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
      const message = `${callerName(this.#caller)} says its version is ${JSON.stringify(gatewayVersion)}`;
      this.#refuse(refusal('KF_RELAY_VERSION_INVALID', message));
      return;
    }
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
    this.#delivery.begin(introduction, provision);
  }

  #onPing(data: Buffer): void {
    if (this.closing) return;
    this.#heardAt = this.#rules.clock.monotonic();
    if (this.#introducedAt === undefined || ++this.#pings > MAX_PINGS_IN_A_TICK) {
      const what = this.#introducedAt === undefined ? 'before it said what it is' : 'without end';
      this.#refuse(refusal('KF_RELAY_PROTOCOL_ERROR', `${callerName(this.#caller)} pings ${what}`));
      return;
    }
    this.#writer.pong();
    this.#delivery.pinged(plainText(data.toString('latin1')));
  }

  /** Of `konnect_mode`; a real control plane on premises would close. */
  #onErrorMessage(data: Buffer): void {
    if (++this.#errorMessages > MAX_ERROR_MESSAGES) {
      this.#refuse(
        refusal('KF_RELAY_PROTOCOL_ERROR', `${callerName(this.#caller)} sends one message after the other`),
      );
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
        const message = `${callerName(this.#caller)} broke the WebSocket protocol (${code})`;
        this.#rules.refusals.refused(refusal('KF_RELAY_PROTOCOL_ERROR', message, error), this.#caller);
      }
    }
    this.destroy();
  }

  #refuse(error: FallbackError): void {
    this.#rules.refusals.refused(error, this.#caller);
    this.#delivery.refused();
    this.release();
  }

  #drop(code: 'KF_RELAY_STALLED' | 'KF_RELAY_GONE', what: string): void {
    this.#rules.refusals.stalled(refusal(code, `${callerName(this.#caller)} ${what}`), this.#caller);
    this.destroy();
  }
}
