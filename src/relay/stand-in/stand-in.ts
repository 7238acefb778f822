import type { Socket } from 'node:net';
import type { FallbackError } from '../../errors/index.ts';
import type { Findings } from '../../observe/index.ts';
import type { Clock, Logger } from '../../plugin/plugin.ts';
import type { Identity } from '../identity.ts';
import type { Provision } from '../provision.ts';
import { Crowds } from './crowds.ts';
import { Handshakes } from './handshakes.ts';
import { DEFAULT_LIMITS, type StandInLimits } from './limits.ts';
import { OutletServer } from './outlet-server.ts';
import { refusal } from './refusal.ts';
import { RefusalLog } from './refusal-log.ts';
import { RpcSession } from './rpc-session.ts';
import { OutletSession } from './session.ts';
import type { SeenDataPlane, SessionRules, StandInSession } from './session-rules.ts';
import { UnknownVersions } from './unknown-versions.ts';

export interface StandInDependencies {
  /** Asked for each connection, so that a new certificate counts from the next one on. */
  readonly identity: () => Identity;
  readonly provision: (gatewayVersion: string) => Provision | undefined;
  /** What there are provisions for. */
  readonly versions: () => readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly findings: Findings;
  readonly limits?: Partial<StandInLimits>;
  /** Told of each data plane that says what it is, also of those that are refused. */
  readonly onSeen?: (dataPlane: SeenDataPlane) => void;
}

export interface StandInState {
  /** Sockets of any state. */
  readonly open: number;
  /** Of those, without TLS yet. */
  readonly handshakes: number;
  /** Sessions that run what the stand-in has, sent by it or not. */
  readonly served: number;
  /** Of configurations, since the start. */
  readonly bytesSent: number;
  /** By code, since the start. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface CloseOptions {
  /** Sessions are given back one after the other over so long. */
  readonly overMs: number;
  /** Ends the patience: what is left is closed at once. */
  readonly signal: AbortSignal;
}

/** More steps than this would be timers for nothing. */
const CLOSE_STEPS = 100;
/** For goodbyes that are under way. */
const CLOSED_WITHIN_MS = 2000;

/** Plays control plane from stored snapshots, to data planes whose sockets it is given. Never throws at its caller. */
export class StandIn {
  readonly #clock: Clock;
  readonly #limits: StandInLimits;
  readonly #handshakes: Handshakes;
  readonly #outlets: OutletServer;
  readonly #refusals: RefusalLog;
  readonly #unknownVersions: UnknownVersions;
  readonly #sessions = new Set<OutletSession>();
  readonly #rpcSessions = new Set<RpcSession>();
  #bytesOfClosed = 0;
  #ticking = false;
  #closed = false;

  constructor(deps: StandInDependencies) {
    const { clock, findings, identity, log, onSeen, provision, versions } = deps;
    const limits = { ...DEFAULT_LIMITS, ...deps.limits };
    this.#clock = clock;
    this.#limits = limits;
    this.#refusals = new RefusalLog(clock, log);
    this.#unknownVersions = new UnknownVersions(clock, findings);
    const onRefused = (error: FallbackError, remote: string) => this.#refusals.refused(error, { remote });
    this.#handshakes = new Handshakes({
      clock,
      limits,
      identity,
      onSecure: (socket) => this.#outlets.take(socket),
      onRefused,
    });
    const rules: SessionRules = {
      clock,
      log,
      limits,
      provision,
      versions,
      refusals: this.#refusals,
      crowds: new Crowds(findings),
      unknownVersions: this.#unknownVersions,
      onSeen: onSeen ?? (() => {}),
    };
    this.#outlets = new OutletServer({
      clock,
      limits,
      onRefused,
      onOutlet: (websocket, socket, caller) => {
        const session = new OutletSession(websocket, socket, caller, rules);
        this.#sessions.add(session);
        websocket.once('close', () => this.#onClosed(session));
      },
      onRpc: (websocket, socket) => {
        const session = new RpcSession(websocket, socket, clock, limits);
        this.#rpcSessions.add(session);
        websocket.once('close', () => this.#rpcSessions.delete(session));
      },
    });
  }

  /** Takes over a paused socket of which no byte was read. */
  accept(socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    if (this.#open >= this.#limits.maxConnections) {
      const message = `a data plane is turned away: ${this.#limits.maxConnections} are connected`;
      this.#refusals.refused(refusal('KF_RELAY_BUSY', message), {});
      socket.destroy();
      return;
    }
    this.#handshakes.take(socket);
    if (!this.#ticking) void this.#keepTicking();
  }

  sessions(): readonly StandInSession[] {
    return [...this.#sessions].map(({ gatewayVersion, hash, hostname, nodeId, since, state }) => ({
      nodeId,
      hostname,
      gatewayVersion,
      hash,
      since,
      state,
    }));
  }

  /** The provision of this version changed: who has not got it is sent it, and who is ahead is left alone. */
  push(gatewayVersion: string): void {
    this.#unknownVersions.served(gatewayVersion);
    for (const session of this.#sessions) {
      if (session.gatewayVersion === gatewayVersion) session.provisionChanged();
    }
  }

  /**
   * Gives data planes back, those that came first first: closes them, and they dial again after 5 to 10 s.
   *
   * @returns how many
   */
  release(count: number): number {
    let released = 0;
    for (const session of this.#sessions) {
      if (released >= count) break;
      if (session.closing) continue;
      session.release();
      released++;
    }
    // A data plane that speaks RPC has two sessions, and nothing in the second says whose it is.
    let left = released < count ? this.#rpcSessions.size : released;
    for (const session of this.#rpcSessions) {
      if (left-- <= 0) break;
      session.release();
    }
    return released;
  }

  state(): StandInState {
    let bytesSent = this.#bytesOfClosed;
    let served = 0;
    for (const session of this.#sessions) {
      bytesSent += session.bytes;
      if (session.state === 'served' || session.state === 'current') served++;
    }
    return {
      open: this.#open,
      handshakes: this.#handshakes.size,
      served,
      bytesSent,
      refused: this.#refusals.counts(),
    };
  }

  /** Takes nobody more, and gives everybody back. */
  async close({ overMs, signal }: CloseOptions): Promise<void> {
    this.#closed = true;
    this.#handshakes.destroy();
    this.#outlets.destroy();
    const atOnce = Math.ceil(this.#sessions.size / CLOSE_STEPS);
    const pauseMs = (overMs * atOnce) / Math.max(1, this.#sessions.size);
    while (this.release(atOnce) > 0 && this.#sessions.size > 0) {
      if (!(await this.#slept(pauseMs, signal))) break;
    }
    this.release(Number.POSITIVE_INFINITY);
    const endsAt = this.#clock.monotonic() + CLOSED_WITHIN_MS;
    while (this.#open > 0 && this.#clock.monotonic() < endsAt) {
      if (!(await this.#slept(this.#limits.tickMs, signal))) break;
    }
    for (const session of [...this.#sessions, ...this.#rpcSessions]) session.destroy();
  }

  get #open(): number {
    return this.#handshakes.size + this.#outlets.size + this.#sessions.size + this.#rpcSessions.size;
  }

  #onClosed(session: OutletSession): void {
    this.#sessions.delete(session);
    this.#bytesOfClosed += session.bytes;
  }

  /** @returns false when the signal came first */
  async #slept(ms: number, signal: AbortSignal): Promise<boolean> {
    return this.#clock.sleep(ms, signal).then(
      () => true,
      () => false,
    );
  }

  /** One timer for the deadlines of all, and none while nobody is there. */
  async #keepTicking(): Promise<void> {
    this.#ticking = true;
    while (this.#open > 0 || (this.#unknownVersions.size > 0 && !this.#closed)) {
      await this.#clock.sleep(this.#limits.tickMs);
      const now = this.#clock.monotonic();
      this.#handshakes.tick(now);
      this.#outlets.tick(now);
      this.#unknownVersions.tick(now);
      for (const session of this.#sessions) session.tick(now);
      for (const session of this.#rpcSessions) session.tick(now);
    }
    this.#ticking = false;
  }
}
