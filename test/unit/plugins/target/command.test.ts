import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import command from '../../../../plugins/target/command/index.ts';
import type { RestoredDocument, Target } from '../../../../src/plugin/index.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';

const SIGNAL = new AbortController().signal;
const DOCUMENT = Buffer.from('{"_format_version":"3.0"}');

let directory: string;
let formerTemporary: string | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-command-'));
  formerTemporary = process.env['TMPDIR'];
  process.env['TMPDIR'] = directory;
});
afterEach(() => {
  if (formerTemporary === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = formerTemporary;
  rmSync(directory, { recursive: true });
});

const document = (body: RestoredDocument['body'] = [DOCUMENT]): RestoredDocument => ({
  body,
  length: DOCUMENT.length,
  sha256: '',
  gatewayVersion: '3.9.3',
  configHash: null,
});

const target = (words: readonly string[], clock = systemClock): Target =>
  command.create(
    { command: [...words], timeoutSeconds: 60 },
    pluginContext({ clock, baseDirectory: directory }),
  ) as Target;
const shell = (script: string, ...more: readonly string[]): Target =>
  target(['sh', '-c', script, 'sh', ...more]);

async function failure(of: Target, given = document(), signal = SIGNAL): Promise<Record<string, unknown>> {
  return of.apply(given, { signal }).then(
    () => {
      throw new Error('was applied');
    },
    (error: Error & Record<string, unknown>) => ({ ...error, message: error.message }),
  );
}

/** Nothing of the document stays anywhere. */
const leftOver = (): string[] => readdirSync(directory).filter((name) => name.startsWith('kongfallback-'));

describe('a command that fails', () => {
  it('says its exit code and the end of what it said', async () => {
    const error = await failure(shell('seq 1 9999 >&2; echo "cannot load" >&2; exit 3'));
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(error['message']).toMatch(/^sh ended with 3: .*cannot load$/s);
    expect(String(error['message']).length).toBeLessThan(2100);
    expect(leftOver()).toEqual([]);
  });

  it('says the signal that ended it', async () => {
    expect((await failure(shell('kill -9 $$')))['message']).toMatch(/ended with SIGKILL/);
  });

  it('that is not there is a matter of the settings', async () => {
    expect(await failure(target(['./no-such-command']))).toMatchObject({ kind: 'invalid' });
    expect(leftOver()).toEqual([]);
  });

  it('is killed at the deadline, with all that it started', async () => {
    const clock = new FakeClock();
    const applying = failure(target(['sh', '-c', 'sleep 600 & echo $! > pid; wait'], clock));
    while (!existsSync(join(directory, 'pid')) || readFileSync(join(directory, 'pid')).length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
    await clock.advance(60_000);
    expect((await applying)['message']).toMatch(/killed after 60000 ms/);
    await gone(pid);
    expect(clock.sleeping).toBe(0);
    expect(leftOver()).toEqual([]);
  });

  it('is killed with the signal', async () => {
    const stop = new AbortController();
    const applying = failure(shell('echo $$ > pid; sleep 600'), document(), stop.signal);
    while (!existsSync(join(directory, 'pid')) || readFileSync(join(directory, 'pid')).length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    stop.abort(Object.assign(new Error('stop'), { kind: 'aborted' }));
    expect(await applying).toMatchObject({ kind: 'aborted' });
    await gone(Number(readFileSync(join(directory, 'pid'), 'utf8')));
    expect(leftOver()).toEqual([]);
  });

  it('is not started when the stream breaks', async () => {
    async function* body() {
      yield DOCUMENT.subarray(0, 5);
      throw Object.assign(new Error('damaged'), { kind: 'corrupt' });
    }
    expect(await failure(shell('touch started'), document(body()))).toMatchObject({ kind: 'corrupt' });
    expect(existsSync(join(directory, 'started'))).toBe(false);
    expect(leftOver()).toEqual([]);
  });

  it('is not started where the document cannot be kept', async () => {
    process.env['TMPDIR'] = join(directory, 'nowhere');
    expect(await failure(shell('touch started'))).toMatchObject({ kind: 'unavailable' });
    expect(existsSync(join(directory, 'started'))).toBe(false);
  });
});

describe('a command that works', () => {
  it('gets the document on standard input', async () => {
    expect(await shell('cat > got').apply(document(), { signal: SIGNAL })).toEqual({ where: 'sh' });
    expect(readFileSync(join(directory, 'got')).equals(DOCUMENT)).toBe(true);
    expect(leftOver()).toEqual([]);
  });

  it('gets it as a file, whose name ends in .json and which nobody else reads', async () => {
    const script = 'cp "$1" got; echo "$1" > name; stat -c %a "$1" > mode; cat > input';
    await shell(script, '{file}').apply(document(), { signal: SIGNAL });
    expect(readFileSync(join(directory, 'got')).equals(DOCUMENT)).toBe(true);
    expect(readFileSync(join(directory, 'name'), 'utf8')).toMatch(/\.json\n$/);
    expect(readFileSync(join(directory, 'mode'), 'utf8')).toBe('600\n');
    expect(readFileSync(join(directory, 'input')).length).toBe(0);
    expect(leftOver()).toEqual([]);
  });

  it('need not read it', async () => {
    await shell('exit 0').apply(document([Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 20)]), { signal: SIGNAL });
    expect(leftOver()).toEqual([]);
  });

  it('is not waited for longer because of what it leaves behind', async () => {
    await shell('sleep 600 & echo $! > pid; exit 0').apply(document(), { signal: SIGNAL });
    process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), 'SIGKILL');
  });
});

/** Resolves once no such process is left; the test's own time limit ends the wait. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
      if (/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
