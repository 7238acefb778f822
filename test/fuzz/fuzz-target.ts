/** A decoder of bytes that somebody else wrote. */
export interface FuzzTarget {
  readonly name: string;
  /** Words of its language, to be put in anywhere. */
  readonly dictionary?: readonly string[];
  /** Inputs that it takes, to begin from. */
  corpus(): Buffer[] | Promise<Buffer[]>;
  /** Returns when all is as it must be, whether or not the bytes were refused; throws what is wrong. */
  run(bytes: Buffer): void | Promise<void>;
  /** Frees what `run` needed. */
  close?(): void;
}
