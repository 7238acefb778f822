// The claim of commit.ts: a writer that was stopped at the worst moment, and lost its lock meanwhile, changes
// nothing when it goes on.
import { strict as assert } from 'node:assert';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertKind, pluginContext } from 'kongfallback/testing';
import { afterEach, beforeEach, test } from 'vitest';
import { Commit, type Condition } from '../../../../../plugins/storage/file/commit.ts';

const MODES = { file: 0o600, folder: 0o700 };
const signal = new AbortController().signal;
const text = (value: string) => new TextEncoder().encode(value);

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kongfallback-commit-'));
  path = join(directory, 'head.json');
  await writeFile(path, 'first');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const commit = () => new Commit(pluginContext(), { directory, name: 'head.json', path }, signal);
const lock = () => readdirSync(directory).find((name) => name.startsWith('~lock-'));

/** Runs `meanwhile` in the moment between the condition under the lock and the change. */
function stoppedUnderLock(meanwhile: () => void): Condition {
  return () => {
    if (lock() !== undefined) meanwhile();
  };
}

function takeLockAway(): void {
  const held = lock();
  assert.ok(held);
  renameSync(join(directory, held), join(directory, '~broken-1'));
}

/** Another writer's whole change. */
function replace(value: string): void {
  writeFileSync(join(directory, 'other'), value);
  renameSync(join(directory, 'other'), path);
}

test('the lock was taken away and another writer was faster: nothing changed', async () => {
  const condition = stoppedUnderLock(() => {
    takeLockAway();
    replace('of the other');
  });
  await assertKind(commit().put(text('late'), MODES, condition), 'unavailable', 'put');
  assert.equal(await readFile(path, 'utf8'), 'of the other');
});

test('the lock was taken away, emptied, and another holds it: nothing changed, its lock stands', async () => {
  const condition = stoppedUnderLock(() => {
    const held = lock();
    assert.ok(held);
    takeLockAway();
    rmSync(join(directory, '~broken-1'), { recursive: true });
    replace('of the other');
    mkdirSync(join(directory, held));
    writeFileSync(join(directory, held, 'token-of-a-third'), 'its content');
  });
  await assertKind(commit().put(text('late'), MODES, condition), 'unavailable', 'put');
  assert.equal(await readFile(path, 'utf8'), 'of the other');
  assert.deepEqual(await readdir(join(directory, lock() ?? '')), ['token-of-a-third']);
});

test('a condition that fails under the lock: nothing changed, nothing left', async () => {
  const condition = stoppedUnderLock(() => {
    throw pluginContext().error('conflict', 'lost');
  });
  await assertKind(commit().put(text('late'), MODES, condition), 'conflict', 'put');
  assert.equal(await readFile(path, 'utf8'), 'first');
  assert.deepEqual(await readdir(directory), ['head.json']);
});

test('versions within one tick of the clock have different times', async () => {
  const times = new Set<bigint>();
  for (let version = 0; version < 50; version++) {
    times.add((await commit().put(text('same'), MODES, () => {})).mtimeNs);
  }
  assert.equal(times.size, 50);
});
