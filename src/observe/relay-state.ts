// What a relay tells of itself beside what every role does. Times are milliseconds since 1970.

export interface ServiceRelay {
  /** What is held of the control plane; `doubtful` is on its way to `down`, or back. */
  readonly verdict: 'unknown' | 'up' | 'doubtful' | 'down';
  readonly since: number;
  /** Stable code of why. */
  readonly reason: string;
  readonly message: string;
  /** host:port that answered last. */
  readonly address: string | null;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Data planes that dialled and wait for a verdict, an admission or a connection. */
  readonly held: number;
  readonly tunnels: { readonly open: number; readonly opened: number };
  /** Null: a sidecar admits nobody. */
  readonly admission: {
    readonly limit: number;
    readonly inFlight: number;
    readonly waiting: number;
  } | null;
  readonly standIn: {
    /** Sessions by state. */
    readonly sessions: Readonly<Record<string, number>>;
    readonly bytesSent: number;
    /** By code, since the start. */
    readonly refused: Readonly<Record<string, number>>;
  };
  /** What the stand-in serves, or would. */
  readonly copies: readonly ServiceCopy[];
}

export interface ServiceCopy {
  readonly gatewayVersion: string;
  /** Null, as the others: there is nothing for this version. */
  readonly sequence: number | null;
  readonly origin: 'storage' | 'cache' | null;
  readonly configHash: string | null;
  /** ISO 8601. */
  readonly asOf: string | null;
  readonly checkedAt: number | null;
  readonly frameBytes: number;
}
