/**
 * What the relay holds of the control plane.
 *
 * - `unknown`: no answer yet since the start; the tunnel is preferred
 * - `up`: it completes TLS and the upgrade
 * - `doubtful`: an attempt failed; data planes that arrive are held until there is a verdict
 * - `down`: no address answered for `tripSeconds`; the stand-in serves
 */
export type Verdict = 'unknown' | 'up' | 'doubtful' | 'down';

export interface ControlPlaneView {
  readonly verdict: Verdict;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Stable code of why: `answers`, `not-asked`, or a KF_CP_… code of src/errors/README.md. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** host:port that answered last; it is dialled first. */
  readonly address: string | undefined;
}
