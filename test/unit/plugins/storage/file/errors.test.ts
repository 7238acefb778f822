import { strict as assert } from 'node:assert';
import { pluginContext } from 'kongfallback/testing';
import { test } from 'vitest';
import { fileError } from '../../../../../plugins/storage/file/errors.ts';

const cases: readonly (readonly [string | undefined, string, RegExp])[] = [
  ['ENOSPC', 'unavailable', /full/],
  ['EDQUOT', 'unavailable', /quota/],
  ['EMFILE', 'unavailable', /open files/],
  ['EIO', 'unavailable', /disk/],
  ['ESTALE', 'unavailable', /mount/],
  ['EACCES', 'denied', /rights/],
  ['EPERM', 'denied', /rights/],
  ['EROFS', 'denied', /writable/],
  ['ELOOP', 'denied', /Links/],
  ['ENOTDIR', 'unsupported', /folder/],
  ['ENAMETOOLONG', 'unsupported', /255/],
  ['ABORT_ERR', 'aborted', /^$/],
  [undefined, 'unavailable', /mount/],
];

for (const [code, kind, hint] of cases) {
  test(`${code ?? 'no errno'}: ${kind}, with a hint`, () => {
    const cause = Object.assign(new Error('low-level text'), { code });
    const error = fileError(pluginContext(), cause, '/mnt/dr/head.json') as Error & Record<string, unknown>;
    assert.equal(error['kind'], kind);
    assert.match(String(error['hint'] ?? ''), hint);
    assert.doesNotMatch(error.message, /low-level text/);
    if (kind !== 'aborted') assert.match(error.message, /\/mnt\/dr\/head\.json/);
  });
}

test('an error that has a kind is left alone', () => {
  const error = pluginContext().error('conflict', 'x');
  assert.equal(fileError(pluginContext(), error, '/x'), error);
});
