// Several processes on one directory, some killed and some stopped at any moment: no step of a counter that was
// acknowledged is lost, and none is made twice.
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pluginContext } from 'kongfallback/testing';
import { afterEach, beforeEach, test } from 'vitest';
import file from '../../../plugins/storage/file/index.ts';

const CHILD = join(import.meta.dirname, 'file-counter-process.ts');
const TSX = import.meta.resolve('tsx');

let path: string;
let children: ChildProcess[];

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'kongfallback-processes-'));
  children = [];
  const store = await file.create({ path, readableBy: 'owner' }, pluginContext());
  const { signal } = new AbortController();
  await store.put('counter', new TextEncoder().encode('0'), { ifAbsent: true, signal });
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(path, { recursive: true, force: true });
});

/** A writer; each acknowledged value is given to `onStep`. */
function writer(steps: number, onStep: (value: number, child: ChildProcess) => void): Promise<number | null> {
  const node = ['--conditions=kongfallback-source', '--import', TSX, CHILD, path, String(steps)];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => onStep(Number(line), child));
  return Promise.all([once(child, 'exit'), once(lines, 'close')]).then(() => child.exitCode);
}

test('three writers, three that are killed again and again', async () => {
  const acknowledged: number[] = [];
  let killed = 0;
  const steady = Array.from({ length: 3 }, () => writer(100, (value) => acknowledged.push(value)));
  let going = true;
  const shortLived = Array.from({ length: 3 }, async (_, index) => {
    while (going) {
      let steps = 0;
      const exit = await writer(1_000, (value, child) => {
        acknowledged.push(value);
        if (++steps === 5 + index) child.kill('SIGKILL');
      });
      if (exit === null) killed++;
    }
  });
  assert.deepEqual(await Promise.all(steady), [0, 0, 0]);
  going = false;
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(shortLived);
  const last = Number(await readFile(join(path, 'counter'), 'utf8'));
  assert.equal(new Set(acknowledged).size, acknowledged.length, 'no step was acknowledged twice');
  assert.ok(killed > 0, 'some were killed');
  // A writer killed between its change and its word has made one step more than it said.
  assert.ok(last >= acknowledged.length, `${last} steps in the file, ${acknowledged.length} acknowledged`);
  assert.ok(last <= acknowledged.length + children.length, `${last} of ${acknowledged.length}`);
  console.log(`file store: ${last} steps, ${acknowledged.length} acknowledged, ${killed} writers killed`);
});

test('a writer that is stopped for longer than a lock may stand, and goes on', async () => {
  const acknowledged: number[] = [];
  let stopped: ChildProcess | undefined;
  const first = writer(60, (value, child) => {
    acknowledged.push(value);
    if (value < 20 || stopped !== undefined) return;
    stopped = child;
    child.kill('SIGSTOP');
  });
  const others = Array.from({ length: 2 }, () => writer(60, (value) => acknowledged.push(value)));
  assert.deepEqual(await Promise.all(others), [0, 0]);
  assert.ok(stopped, 'the first was stopped');
  stopped.kill('SIGCONT');
  assert.equal(await first, 0);
  assert.equal(new Set(acknowledged).size, 180, 'each step once');
  assert.equal(await readFile(join(path, 'counter'), 'utf8'), '180');
  assert.deepEqual(await readdir(path), ['counter'], 'nothing is left behind');
});
