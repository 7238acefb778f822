/** Turns of the event loop without work on the disk that say there is none. */
const IDLE_TURNS = 12;

/** Lets all work end that is under way, the disk's included, so that time which a test lets pass does not make it slow. */
export async function idle(): Promise<void> {
  for (let turns = 0; turns < IDLE_TURNS; ) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const busy = process.getActiveResourcesInfo().some((name) => /^FSReq|^Zlib|Crypto/i.test(name));
    turns = busy ? 0 : turns + 1;
  }
}
