export interface AdminAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** At most a megabyte of it; empty where the answer is success, which repeats the whole configuration. */
  readonly text: string;
}
