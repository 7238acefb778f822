/** Registers one case: `test` of node:test, vitest, or anything of that shape. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/** Runs one case in a fresh place, and cleans up whatever happens. */
export async function withHarness<H extends { cleanup?(): Promise<void> | void }>(
  make: () => Promise<H> | H,
  run: (harness: H) => Promise<void>,
): Promise<void> {
  const harness = await make();
  try {
    await run(harness);
  } finally {
    await harness.cleanup?.();
  }
}

/** One turn of the event loop: a loop over a store in memory would let nothing else run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
