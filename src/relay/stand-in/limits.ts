/** Bounds of the stand-in. Data planes give up after 5 s of waiting for anything, so most of these are 5 s. */
export interface StandInLimits {
  /** Sockets of any state; further ones are closed at once. */
  readonly maxConnections: number;
  /** TLS handshakes at once; the others wait in line. */
  readonly maxHandshakes: number;
  /** Sockets without TLS yet, the line included. The oldest that does not speak makes room for a new one. */
  readonly maxArrivals: number;
  /** In line for a handshake: afterwards the data plane has no patience left. */
  readonly queueMs: number;
  /**
   * A handshake that waits for its client for longer counts no more among `maxHandshakes`: clients that stop half-way
   * must not hold up the others.
   */
  readonly handshakeTurnMs: number;
  /** For TLS, from the first byte on, and before it. */
  readonly handshakeMs: number;
  /** From TLS to the request for a session. */
  readonly requestMs: number;
  /** From the 101 to `basic_info`. */
  readonly introduceMs: number;
  /** For the first ping, which tells what a data plane already has. */
  readonly firstPingMs: number;
  /** A frame's piece (at most 256 KiB) that is not taken in this time ends the session. */
  readonly stallMs: number;
  /** Without a ping or a message. */
  readonly silenceMs: number;
  /** From the end of a frame to the first ping that, with another hash, counts as a rejection. */
  readonly rejectedAfterMs: number;
  /** How often deadlines are looked at. */
  readonly tickMs: number;
  /** Largest message from a data plane; a real `basic_info` has 15 KB. */
  readonly maxMessageBytes: number;
}

export const DEFAULT_LIMITS: StandInLimits = {
  maxConnections: 4096,
  maxHandshakes: 64,
  maxArrivals: 2048,
  queueMs: 4000,
  handshakeTurnMs: 200,
  handshakeMs: 5000,
  requestMs: 5000,
  introduceMs: 5000,
  firstPingMs: 2000,
  stallMs: 20_000,
  silenceMs: 45_000,
  rejectedAfterMs: 10_000,
  tickMs: 200,
  maxMessageBytes: 1_048_576,
};
