export interface VaultAnswer {
  readonly status: number;
  /** `data` or `auth` of the JSON; an empty object for what is none. */
  readonly json: Readonly<Record<string, unknown>>;
  /** What Vault says is wrong, for people. */
  readonly errors: string;
  readonly retryAfter: string | undefined;
}
