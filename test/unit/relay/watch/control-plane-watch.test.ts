import { afterEach, describe, expect, test } from 'vitest';
import { controlPlaneError } from '../../../../src/kong/control-plane-error.ts';
import type { LookAnswer } from '../../../../src/relay/watch/look.ts';
import { Watched } from './watch-fixture.ts';

const started: Watched[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) {
    await one.end();
    await one.advance(0);
    expect([one.clock.sleeping, one.looking]).toEqual([0, 0]);
  }
});

function watched(...args: ConstructorParameters<typeof Watched>): Watched {
  const one = new Watched(...args);
  started.push(one);
  return one.run();
}

async function upThen(mood: Watched['mood'], ...args: ConstructorParameters<typeof Watched>) {
  const one = watched(...args);
  await one.advance(0);
  expect(one.verdict).toBe('up');
  one.mood = mood;
  return one;
}

describe('before the first verdict', () => {
  test('it is unknown, and nobody waits', async () => {
    const one = watched();
    expect(one.watch.view()).toMatchObject({ verdict: 'unknown', reason: 'not-asked', address: undefined });
    expect(await one.watch.settled({ waitMs: 4000, signal: new AbortController().signal })).toMatchObject({
      verdict: 'unknown',
    });
  });

  test('the first look comes at once, as deep as it may, and says where', async () => {
    const one = watched();
    await one.advance(0);
    expect(one.looks).toEqual([{ address: 'cp:8005', depth: 'upgrade', atMs: 0, deadlineMs: 2980 }]);
    expect(one.watch.view()).toMatchObject({ verdict: 'up', reason: 'answers', address: 'cp:8005' });
    expect(one.verdicts).toMatchObject([{ verdict: 'up', before: 'unknown', address: 'cp:8005' }]);
  });

  test('a control plane that is away is doubtful at once, and down after tripMs', async () => {
    const one = new Watched();
    started.push(one);
    one.mood = 'refuses';
    one.run();
    await one.advance(2999);
    expect(one.verdict).toBe('doubtful');
    await one.advance(1);
    expect(one.verdict).toBe('down');
    expect(one.watch.view()).toMatchObject({ reason: 'KF_CP_REFUSED_CONNECTION' });
  });

  test('one that hangs is doubtful after a second, and down after tripMs', async () => {
    const one = new Watched();
    started.push(one);
    one.mood = 'hangs';
    one.run();
    await one.advance(999);
    expect(one.verdict).toBe('unknown');
    await one.advance(1);
    expect(one.verdict).toBe('doubtful');
    await one.advance(2000);
    expect(one.verdict).toBe('down');
  });
});

describe('up', () => {
  test('is looked at every 5 s at TLS, which a control plane does not log', async () => {
    const one = await upThen('answers');
    await one.advance(200_000);
    expect(one.looks.slice(1).map(({ atMs, depth }) => [atMs, depth])).toEqual(
      Array.from({ length: 40 }, (_, n) => [5000 * (n + 1), 'tls']),
    );
    expect(one.verdicts).toHaveLength(1);
  });

  test.each([
    [0, 4000],
    [1, 6000],
  ])('a fifth more or less at random (%d)', async (random, atMs) => {
    const one = await upThen('answers', { random: () => random });
    await one.advance(6001);
    expect(one.looks[1]?.atMs).toBeCloseTo(atMs);
  });

  test('a sidecar never looks deeper than TLS', async () => {
    const one = await upThen('answers', { form: 'sidecar' });
    one.watch.lookNow();
    await one.advance(5000);
    one.mood = 'refuses';
    await one.advance(20_000);
    expect(one.verdict).toBe('down');
    one.mood = 'answers';
    await one.advance(30_000);
    expect(one.verdict).toBe('up');
    expect(new Set(one.looks.map(({ depth }) => depth))).toEqual(new Set(['tls']));
  });

  test('many hints are one look, soon', async () => {
    const one = await upThen('answers');
    for (let n = 0; n < 100; n++) one.watch.lookNow();
    await one.advance(4000);
    expect(one.looks.slice(1).map(({ atMs, depth }) => [atMs, depth])).toEqual([[500, 'upgrade']]);
  });

  test('a failure behind TLS is found by a hint', async () => {
    const one = await upThen('tls-only');
    await one.advance(19_000);
    expect(one.verdict).toBe('up');
    one.watch.lookNow();
    await one.advance(0);
    expect(one.verdict).toBe('doubtful');
    await one.advance(3000);
    expect(one.watch.view()).toMatchObject({ verdict: 'down', reason: 'KF_CP_HTTP_STATUS' });
  });
});

describe('doubtful', () => {
  test('by a look that is refused, then down when nothing answered for tripMs', async () => {
    const one = await upThen('refuses');
    await one.advance(5000);
    expect(one.verdict).toBe('doubtful');
    await one.advance(2999);
    expect(one.verdict).toBe('doubtful');
    await one.advance(1);
    expect(one.verdict).toBe('down');
    expect(one.looks.slice(2).map(({ atMs, depth }) => [atMs, depth])).toEqual(
      [5500, 6000, 6500, 7000, 7500].map((atMs) => [atMs, 'upgrade']),
    );
    expect(one.verdicts.map(({ lastedSeconds, verdict }) => [verdict, lastedSeconds])).toEqual([
      ['up', 0],
      ['doubtful', 5],
      ['down', 3],
    ]);
  });

  test('a black hole is doubtful a second after the look, and down tripMs after it', async () => {
    const one = await upThen('hangs');
    await one.advance(5999);
    expect(one.verdict).toBe('up');
    await one.advance(1);
    expect(one.verdict).toBe('doubtful');
    await one.advance(1999);
    expect(one.verdict).toBe('doubtful');
    await one.advance(1);
    expect(one.watch.view()).toMatchObject({ verdict: 'down', reason: 'KF_CP_TLS_TIMEOUT' });
    expect(one.watch.view().message).toBe('no TLS');
  });

  test.each([3000, 3050])(
    'every look has the time that is left, and none when there is none (%d)',
    async (tripMs) => {
      const one = await upThen('hangs', { tripMs });
      await one.advance(8050);
      const doubtful = one.looks.slice(1).filter(({ atMs }) => atMs < 5000 + tripMs);
      expect(new Set(doubtful.map(({ atMs, deadlineMs }) => atMs + deadlineMs))).toEqual(
        new Set([4980 + tripMs]),
      );
      expect(Math.min(...one.looks.map(({ deadlineMs }) => deadlineMs))).toBeGreaterThanOrEqual(80);
    },
  );

  test('a failure counts from when it came, and not from the start of the look', async () => {
    const one = await upThen({ afterMs: 900, refuses: true });
    await one.advance(5900);
    expect(one.verdict).toBe('doubtful');
    await one.advance(2999);
    expect(one.verdict).toBe('doubtful');
    await one.advance(1);
    expect(one.verdict).toBe('down');
  });

  test('any answer ends it', async () => {
    const one = await upThen('refuses');
    await one.advance(7200);
    one.mood = 'answers';
    await one.advance(300);
    expect(one.verdict).toBe('up');
    await one.advance(60_000);
    expect(one.verdicts.map(({ verdict }) => verdict)).toEqual(['up', 'doubtful', 'up']);
  });

  test('a slow answer is an answer', async () => {
    const one = await upThen({ afterMs: 2500 });
    await one.advance(6100);
    expect(one.verdict).toBe('doubtful');
    await one.advance(1400);
    expect(one.verdict).toBe('up');
  });

  test('TLS alone does not clear a control plane that fails behind it', async () => {
    const one = await upThen({ afterMs: 900 });
    await one.advance(5000);
    one.mood = 'tls-only';
    one.watch.lookNow();
    await one.advance(500);
    expect(one.verdict).toBe('doubtful');
    await one.advance(450);
    expect(one.verdict).toBe('doubtful');
  });

  test('a tunnel without a connection makes it so at once, and a look answers', async () => {
    const one = await upThen('answers');
    await one.advance(1000);
    one.watch.tunnelFailed(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    expect(one.watch.view()).toMatchObject({ verdict: 'doubtful', reason: 'KF_CP_UNREACHABLE' });
    await one.advance(0);
    expect(one.verdict).toBe('up');
  });

  test.each([2600, 3500, 60_000])(
    'a look under way while the process stood still for %d ms trips nothing',
    async (ms) => {
      const one = await upThen('hangs');
      await one.advance(5100);
      one.mood = 'answers';
      one.clock.jump(ms);
      await one.advance(2000);
      expect(one.verdict).toBe('up');
      expect(one.verdicts.map(({ verdict }) => verdict)).not.toContain('down');
    },
  );

  test('no more than eight looks hang at once', async () => {
    const one = await upThen('hangs', { tripMs: 60_000 });
    let most = 0;
    while (one.verdict !== 'down') {
      await one.advance(500);
      most = Math.max(most, one.looking);
    }
    expect(most).toBe(8);
  });

  test('a process that stood still does not take its own absence for that of the control plane', async () => {
    const one = await upThen('hangs');
    await one.advance(6500);
    expect(one.verdict).toBe('doubtful');
    one.mood = 'answers';
    one.clock.jump(60_000);
    await one.advance(1000);
    expect(one.verdicts.map(({ verdict }) => verdict)).toEqual(['up', 'doubtful', 'up']);
  });
});

describe('waiting for a verdict', () => {
  const signal = new AbortController().signal;

  test('ends with the verdict', async () => {
    const one = await upThen('refuses');
    await one.advance(6000);
    const waiting = one.watch.settled({ waitMs: 4000, signal });
    await one.advance(2000);
    expect(await waiting).toMatchObject({ verdict: 'down' });
  });

  test('ends after its time with what is known then', async () => {
    const one = await upThen('refuses', { tripMs: 30_000 });
    await one.advance(6000);
    const waiting = one.watch.settled({ waitMs: 4000, signal });
    await one.advance(4000);
    expect(await waiting).toMatchObject({ verdict: 'doubtful' });
  });

  test('ends with its signal, by the abort', async () => {
    const one = await upThen('refuses');
    await one.advance(6000);
    const gone = new AbortController();
    const waiting = one.watch.settled({ waitMs: 4000, signal: gone.signal });
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'aborted' });
  });

  test('ends when the watch is closed', async () => {
    const one = await upThen('refuses');
    await one.advance(6000);
    const waiting = one.watch.settled({ waitMs: 4000, signal });
    one.watch.close();
    expect(await waiting).toMatchObject({ verdict: 'doubtful' });
  });

  test('onChange comes before those who wait', async () => {
    const order: string[] = [];
    const one = await upThen('refuses', {
      onChange: (view, before) => order.push(`${before.verdict}>${view.verdict}`),
    });
    await one.advance(6000);
    const waiting = one.watch.settled({ waitMs: 4000, signal }).then(() => order.push('waited'));
    await one.advance(2000);
    await waiting;
    expect(order).toEqual(['unknown>up', 'up>doubtful', 'doubtful>down', 'waited']);
  });
});

describe('down', () => {
  async function down(...args: ConstructorParameters<typeof Watched>) {
    const one = await upThen('refuses', ...args);
    while (one.verdict !== 'down') await one.advance(1000);
    return one;
  }

  test('is looked at each second, and back after stableMs of answers', async () => {
    const one = await down();
    await one.advance(10_000);
    one.mood = 'answers';
    await one.advance(1000);
    expect([one.verdict, one.watch.breakerState]).toEqual(['down', 'half-open']);
    await one.advance(9000);
    expect(one.verdict).toBe('down');
    await one.advance(1000);
    expect([one.verdict, one.watch.breakerState]).toEqual(['up', 'closed']);
  });

  test('a failure in between starts over', async () => {
    const one = await down();
    one.mood = 'answers';
    await one.advance(9000);
    one.mood = 'refuses';
    await one.advance(1000);
    expect(one.watch.breakerState).toBe('open');
    one.mood = 'answers';
    await one.advance(10_000);
    expect(one.verdict).toBe('down');
    await one.advance(2000);
    expect(one.verdict).toBe('up');
  });

  test('answers with a standstill between them are no uninterrupted success', async () => {
    const one = await down();
    one.mood = 'answers';
    await one.advance(2000);
    one.clock.jump(60_000);
    await one.advance(2000);
    expect([one.verdict, one.watch.breakerState]).toEqual(['down', 'half-open']);
    await one.advance(10_000);
    expect(one.verdict).toBe('up');
  });

  test("a black hole is looked at with a data plane's own patience", async () => {
    const one = await down({ tripMs: 60_000 });
    expect(one.verdict).toBe('down');
    const from = one.looks.length;
    one.mood = 'hangs';
    await one.advance(13_000);
    expect(one.looks.slice(from).map(({ deadlineMs }) => deadlineMs)).toEqual([5000, 5000, 5000]);
  });

  test('flapping doubles what it takes, and calm forgets it', async () => {
    const one = await down({ maxStableMs: 100_000 });
    const backAfterMs = async () => {
      one.mood = 'answers';
      const from = one.ms;
      while (one.verdict !== 'up') await one.advance(500);
      return Math.round((one.ms - from) / 1000);
    };
    const fall = async () => {
      one.mood = 'refuses';
      while (one.verdict !== 'down') await one.advance(500);
    };
    const times: number[] = [await backAfterMs()];
    for (let n = 0; n < 3; n++) {
      await fall();
      times.push(await backAfterMs());
    }
    await one.advance(300_000);
    await fall();
    times.push(await backAfterMs());
    await one.advance(600_000);
    await fall();
    times.push(await backAfterMs());
    const near = [10, 20, 40, 80, 80, 10];
    expect(times.map((seconds, n) => Math.abs(seconds - (near[n] ?? 0)) <= 1)).toEqual(near.map(() => true));
  });

  test('TLS alone does not bring back what has to answer an upgrade', async () => {
    const one = await down();
    one.mood = 'tls-only';
    await one.advance(60_000);
    expect([one.verdict, one.watch.breakerState]).toEqual(['down', 'open']);
  });

  test('reports of tunnels change nothing', async () => {
    const one = await down();
    one.mood = 'answers';
    await one.advance(5000);
    one.watch.tunnelFailed(new Error('late'));
    one.watch.tunnelSilent();
    one.watch.tunnelSilent();
    await one.advance(7000);
    expect(one.verdict).toBe('up');
  });
});

describe('tunnels that carry nothing', () => {
  test('two in a row trip it although looks succeed, and it comes back by looks', async () => {
    const one = await upThen('answers');
    one.watch.tunnelSilent();
    await one.advance(1000);
    expect(one.verdict).toBe('up');
    one.watch.tunnelSilent();
    expect(one.watch.view()).toMatchObject({ verdict: 'down', reason: 'KF_RELAY_TUNNELS_SILENT' });
    await one.advance(12_000);
    expect(one.verdict).toBe('up');
    one.watch.tunnelSilent();
    one.watch.tunnelSilent();
    await one.advance(12_000);
    expect(one.verdict).toBe('down');
    await one.advance(10_000);
    expect(one.verdict).toBe('up');
  });

  test('one that carries something in between clears them', async () => {
    const one = await upThen('answers');
    for (let n = 0; n < 10; n++) {
      one.watch.tunnelSilent();
      one.watch.tunnelAnswered();
    }
    await one.advance(1000);
    expect(one.verdict).toBe('up');
  });
});

describe('refused, and not down', () => {
  test('an alarm stands until a look as deep is not refused', async () => {
    const one = new Watched();
    started.push(one);
    one.mood = 'denies';
    one.run();
    await one.advance(0);
    expect(one.verdict).toBe('up');
    expect(one.watch.standingAlarms()).toMatchObject([
      { code: 'relay-probe-refused', about: 'cp:8005', severity: 'warning', hint: expect.any(String) },
    ]);
    expect(one.watch.standingAlarms()[0]?.message).toContain('KF_CP_BAD_REQUEST');
    one.mood = 'answers';
    await one.advance(50_000);
    expect(one.watch.standingAlarms()).toHaveLength(1);
    await one.advance(20_000);
    expect(one.watch.standingAlarms()).toEqual([]);
    expect(one.lines.filter(({ event }) => event?.startsWith('finding.'))).toMatchObject([
      { event: 'finding.raised' },
      { event: 'finding.cleared', lastedSeconds: 60 },
    ]);
  });

  test('it never trips', async () => {
    const one = await upThen('denies');
    for (let n = 0; n < 100; n++) {
      one.watch.lookNow();
      await one.advance(1000);
    }
    expect(one.verdicts.map(({ verdict }) => verdict)).toEqual(['up']);
  });
});

describe('several addresses', () => {
  const hosts = ['one:8005', 'two:8005'];

  test('the one that answers is enough, and is asked first from then on', async () => {
    const one = new Watched({ hosts });
    started.push(one);
    one.moods.set('one:8005', 'refuses');
    one.run();
    await one.advance(0);
    expect(one.watch.view()).toMatchObject({ verdict: 'up', address: 'two:8005' });
    await one.advance(5000);
    expect(one.looks.map(({ address }) => address)).toEqual(['one:8005', 'two:8005', 'two:8005']);
  });

  test('a black hole in front hides nobody', async () => {
    const one = new Watched({ hosts });
    started.push(one);
    one.moods.set('one:8005', 'hangs');
    one.run();
    await one.advance(600);
    expect(one.watch.view()).toMatchObject({ verdict: 'up', address: 'two:8005' });
    await one.advance(60_000);
    expect(one.verdicts).toHaveLength(1);
  });

  test('one that refuses us comes after one that does not', async () => {
    const one = new Watched({ hosts });
    started.push(one);
    one.moods.set('one:8005', 'denies');
    one.run();
    await one.advance(0);
    expect(one.watch.view()).toMatchObject({ verdict: 'up', address: 'two:8005' });
    expect(one.watch.standingAlarms()).toMatchObject([{ about: 'one:8005' }]);
  });

  test('down when none answers, whichever way', async () => {
    const one = await upThen('answers', { hosts });
    one.moods.set('one:8005', 'hangs').set('two:8005', 'refuses');
    await one.advance(9000);
    expect(one.verdict).toBe('down');
  });
});

test('what a look throws is a defect, and ends the watch instead of passing for an outage', async () => {
  const one = new Watched({
    look: async () => {
      throw new TypeError('a defect');
    },
  });
  const work = one.watch.run(new AbortController().signal);
  const failure = expect(work).rejects.toThrow('a defect');
  await one.advance(10);
  await failure;
  expect(one.clock.sleeping).toBe(0);
});

test('what a look found that was given up counts no more', async () => {
  let answer = (_answer: LookAnswer) => {};
  let first = true;
  const error = controlPlaneError('KF_CP_REFUSED_CONNECTION', 'refused');
  const one = watched({
    look: (_address, { depth }) => {
      if (depth === 'tls') {
        return new Promise((resolve) => {
          answer = resolve;
        });
      }
      const answers = first;
      first = false;
      return Promise.resolve(answers ? { answers } : { answers, error });
    },
  });
  await one.advance(9000);
  expect(one.verdict).toBe('down');
  answer({ answers: true });
  await one.advance(100);
  expect(one.watch.breakerState).toBe('open');
});

test('closed, it says nothing more', async () => {
  const one = await upThen('refuses');
  one.watch.close();
  one.watch.tunnelFailed(new Error('late'));
  one.watch.tunnelSilent();
  one.watch.lookNow();
  await one.advance(60_000);
  expect(one.verdict).toBe('up');
  expect(one.looks).toHaveLength(1);
});
