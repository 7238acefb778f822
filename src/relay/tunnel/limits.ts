/** A peer that is gone without a word is noticed 10 s later: Linux then asks ten times, a second apart. */
export const KEEP_ALIVE_MS = 30_000;
