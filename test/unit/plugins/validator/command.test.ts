import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import command from '../../../../plugins/validator/command/index.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { DocumentWorker } from '../../../../src/snapshot/document-worker.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { issuesOf, judge } from './judge.ts';

const TABLE = { _format_version: '3.0', services: [] };
const TEXT = JSON.stringify(TABLE);

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

const run = (words: readonly string[], settings: object = {}, given: object = {}) =>
  judge(command, TABLE, {
    settings: { command: words, ...settings },
    plugin: { clock: systemClock, baseDirectory: directory },
    ...given,
  });
const shell = (script: string, settings: object = {}, given: object = {}, ...more: readonly string[]) =>
  run(['sh', '-c', script, 'sh', ...more], settings, given);

/** Nothing of the document stays anywhere. */
const leftOver = (): string[] => readdirSync(directory).filter((name) => name.startsWith('kongfallback-'));

describe('no verdict is an error of the validator, and no acceptance', () => {
  it('a program that is not there', async () => {
    await expect(run(['./no-such-program', '{file}'])).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('./no-such-program cannot be started'),
      hint: expect.stringContaining('Nothing is published'),
    });
    expect(leftOver()).toEqual([]);
  });

  it('a program that is a folder', async () => {
    await expect(run(['/'])).rejects.toMatchObject({ kind: 'invalid' });
    expect(leftOver()).toEqual([]);
  });

  it('one that a signal ended', async () => {
    await expect(shell('kill -9 $$')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('SIGKILL'),
    });
    expect(leftOver()).toEqual([]);
  });

  it('one that takes too long: killed, with all that it started', async () => {
    const clock = new FakeClock();
    const judging = shell('sleep 600 & echo $! > pid; echo waiting; wait', {}, given(clock));
    judging.catch(() => {});
    const pid = await pidIn('pid');
    await clock.advance(60_000);
    await expect(judging).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/^sh was killed after 60 s/),
    });
    await gone(pid);
    expect(clock.sleeping).toBe(0);
    expect(leftOver()).toEqual([]);
  });

  it('an abort', async () => {
    const stop = new AbortController();
    const judging = shell('echo $$ > pid; sleep 600', {}, { signal: stop.signal });
    judging.catch(() => {});
    const pid = await pidIn('pid');
    stop.abort();
    await expect(judging).rejects.toMatchObject({ kind: 'aborted' });
    await gone(pid);
    expect(leftOver()).toEqual([]);
  });

  it('no room for the document', async () => {
    process.env['TMPDIR'] = join(directory, 'nowhere');
    await expect(shell('touch started')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(existsSync(join(directory, 'started'))).toBe(false);
  });
});

describe('another exit code than 0 refuses', () => {
  it('with what the program says on either output', async () => {
    expect(await shell('echo "in routes:"; echo "line 3: bad" >&2; exit 2')).toEqual([
      {
        code: 'command/refused',
        severity: 'error',
        message: expect.stringMatching(/^sh ended with 2: /),
        hint: expect.stringContaining('by hand'),
      },
    ]);
    expect(leftOver()).toEqual([]);
  });

  it('on one line of bounded length, without controls, keys or certificates', async () => {
    const script = [
      'seq 1 20000',
      `printf -- '-----BEGIN PRIVATE KEY-----\\nMIIsecret\\n-----END PRIVATE KEY-----\\n'`,
      `printf 'bad\\033[31m \\342\\200\\256thing\\n\\n'`,
      'exit 1',
    ].join('; ');
    const [finding] = await shell(script, { outputCharacters: 200 });
    expect(finding?.message).toMatch(/^sh ended with 1: ….*\*\*\* bad \[31m {2}thing$/);
    expect(finding?.message).not.toContain('MIIsecret');
    expect(finding?.message.length).toBeLessThan(230);
  });

  it('and shows nothing where nothing is to be shown', async () => {
    expect(await shell('echo hunter2; exit 1', { outputCharacters: 0 })).toMatchObject([
      { message: 'sh ended with 1' },
    ]);
  });
});

describe('exit code 0 accepts', () => {
  it('after the document came on standard input', async () => {
    expect(await shell('cat > got')).toEqual([]);
    expect(readFileSync(join(directory, 'got'), 'utf8')).toBe(TEXT);
    expect(leftOver()).toEqual([]);
  });

  it('or as a file that nobody else reads, in a folder that nobody else enters', async () => {
    const script = 'cp "$1" got; stat -c %a "$1" "$(dirname "$1")" > modes; cat > input';
    expect(await shell(script, {}, {}, '{file}')).toEqual([]);
    expect(readFileSync(join(directory, 'got'), 'utf8')).toBe(TEXT);
    expect(readFileSync(join(directory, 'modes'), 'utf8')).toBe('600\n700\n');
    expect(readFileSync(join(directory, 'input'))).toHaveLength(0);
    expect(leftOver()).toEqual([]);
  });

  it('whatever it says, and without reading anything', async () => {
    expect(await shell('echo warning >&2; exit 0')).toEqual([]);
  });

  it('and ends what it leaves behind, which may still read the document', async () => {
    await shell('sleep 600 & echo $! > pid; exit 0');
    await gone(await pidIn('pid'));
  });
});

describe('a worker that is ended on the way', () => {
  it('leaves neither the program nor the document', async () => {
    const entryUrl = new URL('../../../../src/composition/prepare-worker.ts', import.meta.url);
    const settings = {
      // One that has run for a moment: its group is known right after its start, and not before.
      command: ['sh', '-c', 'sleep 1; echo $$ > pid; sleep 600', 'sh', '{file}'],
      timeoutSeconds: 200,
      outputCharacters: 300,
    };
    const validators = [{ use: 'command', id: 'command', url: null, settings }];
    const worker = new DocumentWorker({ entryUrl, validators, clock: systemClock, baseDirectory: directory });
    const stop = new AbortController();
    const job = {
      form: 'document' as const,
      bytes: new TextEncoder().encode(TEXT),
      fromControlPlane: true,
      cluster: 'c',
      gatewayVersion: '3.9.3',
      now: 0,
      maxDocumentBytes: 1000,
      compress: false,
    };
    const running = worker.run(job, { signal: stop.signal, deadlineMs: 100_000 });
    running.catch(() => {});
    const pid = await pidIn('pid');
    expect(leftOver()).toHaveLength(1);
    stop.abort();
    await expect(running).rejects.toMatchObject({ kind: 'aborted' });
    await gone(pid);
    await until(() => leftOver().length === 0);
  });
});

describe('settings', () => {
  it.each([
    [{}, /^command: /],
    [{ command: 'kong' }, /^command: /],
    [{ command: [] }, /^command: /],
    [{ command: ['a', ''] }, /^command: /],
    [{ command: ['a'], timeoutSeconds: 0 }, /^timeoutSeconds: /],
    [{ command: ['a'], timeoutSeconds: 300 }, /^timeoutSeconds: /],
    [{ command: ['a'], outputCharacters: 0.5 }, /^outputCharacters: /],
    [{ command: ['a'], shell: true }, /^shell: unknown/],
  ])('%j are refused', async (settings, message) => {
    expect(await issuesOf(command, settings)).toEqual([expect.stringMatching(message)]);
  });
});

const given = (clock: FakeClock) => ({ plugin: { clock, baseDirectory: directory } });

/** The number that a program wrote there, when it has. */
async function pidIn(name: string): Promise<number> {
  const path = join(directory, name);
  await until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'));
  return Number(readFileSync(path, 'utf8'));
}

/** Looks again whenever something happens in the folder; the test's own time limit ends the wait. */
async function until(holds: () => boolean): Promise<void> {
  const watcher = watch(directory);
  try {
    while (!holds()) await new Promise((resolve) => watcher.once('change', resolve));
  } finally {
    watcher.close();
  }
}

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
