// A new node asks every store for its head: what the others do must cost it nothing but their answer.
import { describe, expect, it } from 'vitest';
import { type ResolveOptions, resolveHeads } from '../../src/restore/resolve.ts';
import { Trust } from '../../src/snapshot/keys.ts';
import { encodeSignedHead, SnapshotStore } from '../../src/snapshot/snapshot-store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { head, T0 } from '../unit/export/heads.ts';
import { MemoryLineStore } from '../unit/snapshot/memory-line-store.ts';
import { signingPair } from '../unit/snapshot/sample-head.ts';

const LINE = { cluster: 'test', gatewayVersion: '3.9.3' };
const HEAD_KEY = '3.9.3/head.json';
const DEADLINE_MS = 15_000;
const { signer, publicPem } = signingPair();

/** What a store answers, and after how long; undefined: never. */
interface Answer {
  readonly sequence?: number;
  readonly aliveAt?: number;
  readonly afterMs?: number;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

async function resolved(answers: readonly Answer[], over: Partial<ResolveOptions> = {}) {
  const clock = new FakeClock({ now: T0 });
  const stores = answers.map((answer, index) => store(`s${index}`, answer, clock));
  const began = clock.monotonic();
  let tookMs: number | undefined;
  const done = resolveHeads(stores, {
    signal: new AbortController().signal,
    clock,
    gatewayVersion: LINE.gatewayVersion,
    deadlineMs: DEADLINE_MS,
    recentMs: 1_200_000,
    ratchet: undefined,
    minimumSequence: undefined,
    ...over,
  }).finally(() => {
    tookMs = clock.monotonic() - began;
  });
  while (tookMs === undefined && clock.monotonic() - began < 60_000) await clock.advance(50);
  const { best, failures, findings } = await done;
  expect(clock.sleeping, 'timers that are left over').toBe(0);
  return {
    store: best?.storeId,
    sequence: best?.head.sequence,
    failures: failures.map(({ store: id, error }) => `${id} ${error.code}`),
    findings: findings.map(({ code }) => code),
    tookMs: tookMs ?? Number.NaN,
  };
}

function store(
  id: string,
  { sequence = 1000, aliveAt = T0 - 60_000, afterMs, bytes }: Answer,
  clock: FakeClock,
) {
  const memory = new MemoryLineStore(id);
  memory.before = () =>
    afterMs === undefined ? new Promise(() => {}) : afterMs > 0 ? clock.sleep(afterMs) : undefined;
  const at = new Date(aliveAt).toISOString();
  const real = encodeSignedHead(head('a', 0, { sequence, aliveAt: at, confirmedAt: at }), [signer]);
  if (bytes?.length !== 0) memory.objects.set(HEAD_KEY, bytes ?? real);
  return new SnapshotStore(memory, { ...LINE, trust: new Trust([publicPem]) });
}

const HANGS: Answer = {};
const FORGED = encodeSignedHead(head('f', 0, { sequence: 9_999_999_999 }), [signingPair().signer]);
const GARBAGE = new Uint8Array(Buffer.from('<Error><Code>SlowDown</Code></Error>'));
const MISSING = new Uint8Array(0);

describe('several stores', () => {
  it('one that hangs delays by half a second once a recent head is there', async () => {
    const { store: from, tookMs } = await resolved([HANGS, { afterMs: 100 }]);
    expect(from).toBe('s1');
    expect(tookMs).toBe(600);
  });

  it('one that hangs is waited for until its deadline while the others are not recent', async () => {
    const old = { afterMs: 0, aliveAt: T0 - 3_600_000 };
    const result = await resolved([HANGS, old]);
    expect(result).toMatchObject({ store: 's1', failures: ['s0 KF_DEADLINE_EXCEEDED'], tookMs: DEADLINE_MS });
  });

  it('one that lags behind and answers first does not win against one that answers a moment later', async () => {
    const lagging = { afterMs: 0, sequence: 1000, aliveAt: T0 - 900_000 };
    expect(await resolved([lagging, { afterMs: 400, sequence: 1001 }])).toMatchObject({
      store: 's1',
      sequence: 1001,
      findings: ['restore/stores-disagree'],
    });
  });

  it('nobody is waited for when everybody has answered', async () => {
    expect((await resolved([{ afterMs: 0 }, { afterMs: 0 }])).tookMs).toBe(0);
    expect((await resolved([{ afterMs: 0 }])).tookMs).toBe(0);
  });

  it('the half second is counted once, from the first recent head', async () => {
    const answers = [{ afterMs: 0 }, { afterMs: 300 }, HANGS];
    expect((await resolved(answers)).tookMs).toBe(500);
  });

  it.each([
    ['is forged', FORGED, 'KF_HEAD_UNTRUSTED'],
    ['answers something else', GARBAGE, 'KF_HEAD_CORRUPT'],
    ['was emptied', MISSING, 'KF_HEAD_MISSING'],
  ])('one that %s ends nothing early, and is named', async (_, bytes, code) => {
    const lying = { afterMs: 0, bytes };
    expect(await resolved([lying, { afterMs: 2000 }])).toMatchObject({
      store: 's1',
      sequence: 1000,
      failures: [`s0 ${code}`],
    });
  });

  it('one that was set back below what this node has seen ends nothing early', async () => {
    const setBack = { afterMs: 0, sequence: 999 };
    expect(await resolved([setBack, { afterMs: 2000, sequence: 1000 }], { ratchet: 1000 })).toMatchObject({
      store: 's1',
      failures: ['s0 KF_HEAD_ROLLED_BACK'],
    });
  });

  it('one from the future does not end the wait', async () => {
    const future = { afterMs: 0, aliveAt: T0 + 3_600_000 };
    expect(await resolved([future, { afterMs: 5000, sequence: 1001 }])).toMatchObject({
      store: 's1',
      tookMs: 5000,
    });
  });

  it('all of them hanging cost one deadline, not one each', async () => {
    const result = await resolved([HANGS, HANGS, HANGS]);
    expect(result.store).toBeUndefined();
    expect(result.failures).toHaveLength(3);
    expect(result.tookMs).toBe(DEADLINE_MS);
  });
});
