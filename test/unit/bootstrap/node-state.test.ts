import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NodeState, nodeState } from '../../../src/bootstrap/node-state.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

const SIGNAL = new AbortController().signal;
const WARM = 'ce111cfab695166fc51ce9e8cb1905a0';

let prefix: string;
beforeEach(() => {
  prefix = mkdtempSync(join(tmpdir(), 'kongfallback-prefix-'));
});
afterEach(() => rmSync(prefix, { recursive: true }));

const captured = (name: string): Buffer =>
  gunzipSync(readFileSync(new URL(`../../fixtures/captures/lmdb/${name}.mdb.gz`, import.meta.url)));

function put(bytes: Uint8Array, folder = 'dbless.lmdb'): void {
  mkdirSync(join(prefix, folder), { recursive: true });
  writeFileSync(join(prefix, folder, 'data.mdb'), bytes);
}

const look = (version = '3.9.3', environmentPath = 'dbless.lmdb'): Promise<NodeState> =>
  nodeState({ prefix, environmentPath }, version, new FakeClock(), SIGNAL);

/** The recorded file as another minor, or one before 3.6, would have tagged it. */
function tagged(tag: string | undefined): Buffer {
  const bytes = captured('warm');
  for (
    let at = bytes.indexOf('validation_tag3.9');
    at >= 0;
    at = bytes.indexOf('validation_tag3.9', at + 1)
  ) {
    if (tag === undefined) bytes.write('validation_gat', at);
    else bytes.write(`validation_tag${tag}`, at);
  }
  return bytes;
}

describe('the state of a node', () => {
  it('is unknown, which counts as configured, when its file is not understood', async () => {
    put(captured('warm').subarray(0, 5000));
    expect(await look()).toMatchObject({ state: 'unknown', error: { code: 'KF_LMDB_UNEXPECTED' } });
    put(Buffer.from('not an LMDB'));
    const state = await look();
    expect(state).toMatchObject({ state: 'unknown' });
    expect(state.state === 'unknown' && state.error.message).toContain(join(prefix, 'dbless.lmdb/data.mdb'));
  });

  it('is unknown when the hash is none', async () => {
    const bytes = captured('warm');
    for (let at = bytes.indexOf(WARM); at >= 0; at = bytes.indexOf(WARM, at + 1)) bytes.write('HASH', at);
    put(bytes);
    expect(await look()).toMatchObject({ state: 'unknown', error: { code: 'KF_LMDB_UNEXPECTED' } });
  });

  it('is unknown when something else stands in the way of the file', async () => {
    mkdirSync(join(prefix, 'dbless.lmdb/data.mdb'), { recursive: true });
    expect(await look()).toMatchObject({ state: 'unknown' });
  });

  it.each(['cold', 'wiped'])('is new with a store that holds no configuration: %s', async (name) => {
    put(captured(name));
    expect(await look()).toMatchObject({ state: 'new', reason: 'it holds no configuration' });
  });

  it.each(['no prefix', 'no file'])('is new with %s', async (what) => {
    if (what === 'no file') mkdirSync(join(prefix, 'dbless.lmdb'));
    expect(await look()).toMatchObject({ state: 'new', reason: 'there is no such file' });
  });

  it.each([
    ['3.8', '3.9.3'],
    ['3.9', '3.8.1'],
    ['3.9', '3.10.0.1'],
    [undefined, '3.9.3'],
  ])('is new when the store of %s would be wiped by %s', async (tag, version) => {
    put(tagged(tag));
    const state = await look(version);
    expect(state.state).toBe('new');
    expect(state.state === 'new' && state.reason).toContain('wipes');
  });

  it.each([
    ['3.9', '3.9.3'],
    ['3.9', '3.9.0.4'],
    [undefined, '3.5.0'],
    ['3.9', '3.5.0'],
  ])('is configured with a store of %s under %s', async (tag, version) => {
    put(tagged(tag));
    expect(await look(version)).toMatchObject({ state: 'configured', configHash: WARM });
  });

  it('is looked for where lmdb_environment_path says, relative to the prefix or not', async () => {
    put(captured('warm'), 'elsewhere');
    expect(await look('3.9.3', 'elsewhere')).toMatchObject({ state: 'configured' });
    expect(await look('3.9.3', join(prefix, 'elsewhere'))).toMatchObject({ state: 'configured' });
    expect(await look()).toMatchObject({ state: 'new' });
  });

  it('ends with the signal', async () => {
    const looking = nodeState(
      { prefix, environmentPath: 'dbless.lmdb' },
      '3.9.3',
      new FakeClock(),
      AbortSignal.abort(),
    );
    await expect(looking).rejects.toMatchObject({ kind: 'aborted' });
  });
});
