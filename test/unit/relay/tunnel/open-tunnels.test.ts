import { describe, expect, it } from 'vitest';
import { OpenTunnels } from '../../../../src/relay/tunnel/open-tunnels.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

/** Closed by us, it ends. */
class FakeTunnel {
  readonly ended: Promise<void>;
  readonly #name: string;
  readonly #closed: string[];
  #end: () => void = () => {};

  constructor(name: string, closed: string[]) {
    this.#name = name;
    this.#closed = closed;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  close(): void {
    this.#closed.push(this.#name);
    this.#end();
  }

  leave(): void {
    this.#end();
  }
}

function four() {
  const [clock, tunnels, closed] = [new FakeClock(), new OpenTunnels(), [] as string[]];
  const all = ['a', 'b', 'c', 'd'].map((name) => new FakeTunnel(name, closed));
  for (const tunnel of all) tunnels.add(tunnel);
  return { all, clock, closed, tunnels };
}

describe('open tunnels', () => {
  it('count those that stand, and all that there were', async () => {
    const { all, tunnels } = four();
    all[1]?.leave();
    await all[1]?.ended;
    await Promise.resolve();
    expect([tunnels.count, tunnels.opened]).toEqual([3, 4]);
  });

  it('are closed one after the other, evenly, the oldest first', async () => {
    const { clock, closed, tunnels } = four();
    const done = tunnels.close({ clock, overMs: 4000, signal: new AbortController().signal });
    expect(closed).toEqual(['a']);
    await clock.advance(1000);
    expect(closed).toEqual(['a', 'b']);
    await clock.advance(2000);
    expect(closed).toEqual(['a', 'b', 'c', 'd']);
    await clock.advance(1000);
    await done;
    expect(tunnels.count).toBe(0);
  });

  it('are closed at once when patience ends', async () => {
    const { clock, closed, tunnels } = four();
    const patience = new AbortController();
    const done = tunnels.close({ clock, overMs: 3_600_000, signal: patience.signal });
    patience.abort();
    await done;
    expect(closed).toEqual(['a', 'b', 'c', 'd']);
  });

  it('none need no time', async () => {
    const { signal } = new AbortController();
    await new OpenTunnels().close({ clock: new FakeClock(), overMs: 60_000, signal });
  });
});
