import type { Clock, Logger } from '../../plugin/plugin.ts';
import type { Provision } from '../provision.ts';
import type { Crowds } from './crowds.ts';
import type { StandInLimits } from './limits.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { UnknownVersions } from './unknown-versions.ts';

/**
 * - `handshake`: it has not said who it is
 * - `greeting`: waiting for its first ping, or for the hash of what it was sent
 * - `served`: it runs what the stand-in sent
 * - `current`: it had that already
 * - `ahead`: it runs something that storage does not list, and is left alone
 * - `refused`: it lacks a plugin in use, or is being turned away
 */
export type SessionState = 'handshake' | 'greeting' | 'served' | 'current' | 'ahead' | 'refused';

export interface StandInSession {
  readonly nodeId: string;
  readonly hostname: string;
  readonly gatewayVersion: string;
  /** Of its last ping; undefined before the first. */
  readonly hash: string | undefined;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly state: SessionState;
}

/** What a request for a session says of the data plane; texts fit for a log. */
export interface Caller {
  readonly nodeId: string;
  readonly hostname: string;
  readonly gatewayVersion: string;
  readonly remote: string;
}

export interface SeenDataPlane {
  readonly gatewayVersion: string;
  readonly plugins: readonly string[];
  readonly nodeId: string;
}

/** What all sessions share. */
export interface SessionRules {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: StandInLimits;
  readonly refusals: RefusalLog;
  readonly crowds: Crowds;
  readonly unknownVersions: UnknownVersions;
  provision(gatewayVersion: string): Provision | undefined;
  versions(): readonly string[];
  onSeen(dataPlane: SeenDataPlane): void;
}
