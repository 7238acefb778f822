import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../../../../../plugins/storage/s3/settings.ts';

const readme = readFileSync('plugins/storage/s3/README.md', 'utf8');
const [, yaml = ''] = /```yaml\n([\s\S]+?)```/.exec(readme) ?? [];
const { storages } = parse(yaml) as { storages: Record<string, unknown>[] };

describe('the README of the plugin', () => {
  test.each(storages.map((entry) => [String(entry['id'] ?? entry['region']), entry] as const))(
    'has an example that is taken: %s',
    (_, { use, id: _id, prefix: _prefix, ...own }) => {
      assert.equal(use, 's3');
      assert.deepEqual(settings.safeParse(own).error?.issues ?? [], []);
    },
  );

  test('says of every real server that the tests know how it was tested', () => {
    const known = readFileSync('test/s3/real-servers.ts', 'utf8').matchAll(/^ {2}name: '([^']+)',$/gm);
    const names = ['versitygw', ...[...known].map(([, name]) => name ?? '')];
    assert.ok(names.length >= 5, names.join(' '));
    for (const name of names)
      assert.match(readme, new RegExp(`^\\| ${name} .*\\*\\*tested\\*\\*`, 'm'), name);
  });

  test('names settings and files that exist', () => {
    const known = Object.keys(settings.shape);
    const inText = [
      ...readme.matchAll(/`([a-z][A-Za-z]+(?:Seconds|File|Encryption|KeyId|Credentials|Object))`/g),
    ];
    assert.ok(inText.length > 5);
    for (const [, name] of inText) {
      if (/^[A-Z]/.test(name ?? '')) continue;
      assert.ok(known.includes(name ?? ''), name);
    }
    for (const [, path] of readme.matchAll(/`((?:src|plugins|test)\/[\w./-]+)`/g)) {
      assert.ok(existsSync(path ?? ''), path);
    }
  });
});
