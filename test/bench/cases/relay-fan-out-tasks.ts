// What the processes of relay-fan-out.ts are told.

export interface ServerTask {
  readonly kind: 'stand-in' | 'raw' | 'ws';
  readonly certificate: string;
  readonly key: string;
  /** So many random bytes, or these in base64. */
  readonly payload: number | string;
}

export interface ReaderTask {
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  readonly count: number;
  readonly hash: string;
  /** Of the whole frame. */
  readonly frameBytes: number;
  /** They read nothing after the answer to their first ping. */
  readonly stall?: boolean;
}

/** What a data plane pings that is up to date before the frame is sent. */
export const CURRENT_HASH = 'c'.repeat(32);
