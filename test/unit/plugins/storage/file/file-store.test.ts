import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore } from 'kongfallback/plugin';
import { assertKind, drain, FakeClock, pluginContext } from 'kongfallback/testing';
import { afterEach, beforeEach, describe, test } from 'vitest';
import file from '../../../../../plugins/storage/file/index.ts';

const signal = new AbortController().signal;
const text = (value: string) => new TextEncoder().encode(value);

let directory: string;
let root: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kongfallback-file-unit-'));
  root = join(directory, 'store');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function open(readableBy: 'owner' | 'group' | 'all' = 'owner', clock = new FakeClock({ runs: true })) {
  return file.create({ path: root, readableBy }, pluginContext({ clock }));
}

async function contents(store: ObjectStore, key: string): Promise<string> {
  const found = await store.get(key, { signal });
  assert.ok(found !== undefined && found !== 'not-modified');
  return Buffer.from(await drain(found.body)).toString();
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const info of store.list('', { signal })) keys.push(info.key);
  return keys;
}

describe('the directory', () => {
  test('missing: reads say so instead of finding nothing', async () => {
    const store = await open();
    for (const call of [store.get('a', { signal }), keysOf(store), store.delete('a', { signal })]) {
      const error = await assertKind(call, 'unavailable', 'a read');
      assert.match(error.message, new RegExp(root));
    }
  });

  test('missing: the first put makes it, but not its parents', async () => {
    const store = await open();
    await store.put('3.9.1/head.json', text('x'), { ifAbsent: true, signal });
    assert.equal(await contents(store, '3.9.1/head.json'), 'x');
    const typo = await file.create(
      { path: join(directory, 'not', 'mounted'), readableBy: 'owner' },
      pluginContext(),
    );
    await assertKind(typo.put('a', text('x'), { signal }), 'unavailable', 'put');
    assert.deepEqual(await readdir(directory), ['store']);
  });

  test('is relative to the settings file, and may itself be a link', async () => {
    await mkdir(join(directory, 'real'));
    await symlink(join(directory, 'real'), root);
    const context = pluginContext({ baseDirectory: directory });
    const store = await file.create({ path: 'store', readableBy: 'owner' }, context);
    await store.put('a/b', text('x'), { signal });
    assert.equal(await readFile(join(directory, 'real/a/b'), 'utf8'), 'x');
  });

  test('holds plain files, and nothing else after a put', async () => {
    const store = await open();
    const { etag } = await store.put('a/b', text('1'), { ifAbsent: true, signal });
    await store.put('a/b', text('2'), { ifMatch: etag, signal });
    await store.put('a/c', text('3'), { signal });
    await store.delete('a/c', { signal });
    assert.deepEqual(await readdir(root, { recursive: true }), ['a', 'a/b']);
  });

  for (const [readableBy, fileMode, folderMode] of [
    ['owner', 0o600, 0o700],
    ['group', 0o640, 0o750],
    ['all', 0o644, 0o755],
  ] as const) {
    test(`readable by ${readableBy}: ${fileMode.toString(8)}, whatever the umask`, async () => {
      const store = await open(readableBy);
      const former = process.umask(0o077);
      try {
        await store.put('a/b', text('x'), { signal });
      } finally {
        process.umask(former);
      }
      assert.equal((await stat(join(root, 'a/b'))).mode & 0o777, fileMode);
      assert.equal((await stat(join(root, 'a'))).mode & 0o777, folderMode);
    });
  }
});

describe('what is in the way', () => {
  for (const key of ['../outside', 'a/../../outside', '/etc/passwd', 'a//b', '.', '~lock', 'a\0b', '']) {
    test(`the key ${JSON.stringify(key)} is refused`, async () => {
      await mkdir(root);
      const store = await open();
      await assertKind(store.get(key, { signal }), 'invalid', 'get');
      await assertKind(store.put(key, text('x'), { signal }), 'invalid', 'put');
      await assertKind(store.delete(key, { signal }), 'invalid', 'delete');
      assert.deepEqual(await readdir(directory), ['store']);
    });
  }

  test('a link instead of the file: denied, and what it leads to is untouched', async () => {
    await mkdir(root);
    const outside = join(directory, 'outside');
    await writeFile(outside, 'secret');
    await symlink(outside, join(root, 'head.json'));
    const store = await open();
    await assertKind(store.get('head.json', { signal }), 'denied', 'get');
    await assertKind(store.put('head.json', text('x'), { signal }), 'denied', 'put');
    await assertKind(store.delete('head.json', { signal }), 'denied', 'delete');
    assert.deepEqual(await keysOf(store), []);
    assert.equal(await readFile(outside, 'utf8'), 'secret');
  });

  test('a link instead of a folder: denied', async () => {
    await mkdir(root);
    await mkdir(join(directory, 'outside'));
    await writeFile(join(directory, 'outside/a'), 'secret');
    await symlink(join(directory, 'outside'), join(root, 'folder'));
    const store = await open();
    await assertKind(store.get('folder/a', { signal }), 'denied', 'get');
    await assertKind(store.put('folder/b', text('x'), { signal }), 'denied', 'put');
    await assertKind(store.put('folder/deeper/b', text('x'), { signal }), 'denied', 'put');
    assert.deepEqual(await keysOf(store), []);
    assert.deepEqual(await readdir(join(directory, 'outside')), ['a']);
  });

  test('a named pipe is no object, and nobody waits for its writer', async () => {
    await mkdir(root);
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const store = await open();
    assert.equal(await store.get('pipe', { signal }), undefined);
    assert.deepEqual(await keysOf(store), []);
  });

  test('a file where a folder is needed, and the reverse: unsupported on put, nothing on get', async () => {
    const store = await open();
    await store.put('a', text('x'), { signal });
    await store.put('b/c', text('x'), { signal });
    await assertKind(store.put('a/b', text('y'), { signal }), 'unsupported', 'put below a file');
    await assertKind(store.put('b', text('y'), { signal }), 'unsupported', 'put over a folder');
    await assertKind(store.put('n'.repeat(300), text('y'), { signal }), 'unsupported', 'a name too long');
    assert.equal(await store.get('a/b', { signal }), undefined);
    await store.delete('a/b', { signal });
    assert.equal(await store.get('b', { signal }), undefined);
    assert.deepEqual(await keysOf(store), ['a', 'b/c']);
    assert.deepEqual((await readdir(root)).sort(), ['a', 'b'], 'no leftovers');
  });

  test.skipIf(process.getuid?.() === 0)('a folder without rights: denied', async () => {
    await mkdir(root, { mode: 0o500 });
    const store = await open();
    await assertKind(store.put('a', text('x'), { signal }), 'denied', 'put');
    await chmod(root, 0o700);
  });
});

describe('what crashed writers leave', () => {
  test('is not listed, and removed when it is older than an hour', async () => {
    await mkdir(join(root, '~stage-old'), { recursive: true });
    await writeFile(join(root, '~stage-old/token'), 'half');
    await mkdir(join(root, '~broken-old'));
    await mkdir(join(root, '~stage-young'));
    await writeFile(join(root, 'file~of-somebody'), 'x');
    const clock = new FakeClock();
    const ago = (ms: number) => new Date(clock.now() - ms);
    for (const name of ['~stage-old', '~broken-old']) {
      await utimes(join(root, name), ago(3_600_001), ago(3_600_001));
    }
    await utimes(join(root, '~stage-young'), ago(3_599_000), ago(3_599_000));
    const store = await open('owner', clock);
    assert.deepEqual(await keysOf(store), []);
    await store.put('a', text('x'), { signal });
    assert.deepEqual((await readdir(root)).sort(), ['a', 'file~of-somebody', '~stage-young']);
  });

  test('a lock that stands still is taken over after 5 s', async () => {
    const clock = new FakeClock({ runs: true });
    const store = await open('owner', clock);
    const { etag } = await store.put('a', text('1'), { signal });
    await strandLock('a');
    const startMs = clock.monotonic();
    await store.put('a', text('2'), { ifMatch: etag, signal });
    const tookMs = clock.monotonic() - startMs;
    assert.ok(tookMs > 5_000 && tookMs < 5_200, `${tookMs} ms`);
    assert.equal(await contents(store, 'a'), '2');
    assert.deepEqual(await readdir(root), ['a']);
  });

  test('who waits for a lock can be stopped, and leaves nothing behind', async () => {
    const clock = new FakeClock();
    const store = await open('owner', clock);
    await store.put('a', text('1'), { signal });
    await strandLock('a');
    const stop = new AbortController();
    const put = store.put('a', text('2'), { signal: stop.signal });
    put.catch(() => {});
    while (clock.sleeping === 0) await new Promise<void>((done) => setImmediate(done));
    stop.abort();
    await assertKind(put, 'aborted', 'put');
    assert.equal((await readdir(root)).filter((name) => name.startsWith('~stage')).length, 0);
    assert.equal(await contents(store, 'a'), '1');
  });

  /** A writer of that key that died while it held the lock: found by watching where one is made. */
  async function strandLock(key: string): Promise<void> {
    const { createHash } = await import('node:crypto');
    const name = createHash('sha256').update(key).digest('hex').slice(0, 16);
    await mkdir(join(root, 'dead'));
    await writeFile(join(root, 'dead/0123456789'), 'half');
    await rename(join(root, 'dead'), join(root, `~lock-${name}`));
  }
});
