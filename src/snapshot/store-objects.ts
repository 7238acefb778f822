// What the guarded store gives to the rest of the core.

export interface ObjectFacts {
  readonly etag: string;
  readonly modifiedAt?: Date;
  /** The store's clock when it answered; absent when it does not tell, or took more than 2 s to answer. */
  readonly serverTime?: Date;
  /** `clock.monotonic()` when the request was sent. */
  readonly askedMs: number;
}

export interface ReadObject extends ObjectFacts {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface StreamedObject extends ObjectFacts {
  /** Read once; leaving the loop frees the connection. Errors are classified. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Frees the connection of a body that will not be read. */
  discard(): void;
}

export interface WrittenObject {
  readonly etag: string;
  readonly serverTime?: Date;
  readonly askedMs: number;
}

/** Exactly one of the two: nothing is ever overwritten unseen. */
export type PutCondition =
  | { readonly ifMatch: string; readonly ifAbsent?: never }
  | { readonly ifAbsent: true; readonly ifMatch?: never };
