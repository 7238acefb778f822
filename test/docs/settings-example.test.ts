import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { BUILT_INS } from '../../src/composition/built-ins.ts';
import { InstalledPlugins } from '../../src/composition/plugin-catalogue.ts';
import { loadSettings, type Role } from '../../src/config/index.ts';
import { settingsJsonSchema } from '../../src/config/schema.ts';
import { ENTRY_KEYS } from '../../src/config/schema-entries.ts';
import { SchemaOutline } from '../../src/config/schema-outline.ts';
import type { PluginKind } from '../../src/plugin/index.ts';
import { clusterCertificate } from '../stand-in/certificates.ts';

const TEXT = readFileSync('.kongfallbackrc.example', 'utf8');
const core = new SchemaOutline(settingsJsonSchema());

/** With every setting that is not set switched on: `#name: value`, but not `# prose`. */
const EVERYTHING = TEXT.replaceAll(/^( *)#(?=[a-zA-Z]+:|- )/gm, '$1');

const ENTRIES: Readonly<Record<string, PluginKind>> = {
  storages: 'storage',
  encryption: 'encryption',
  validators: 'validator',
  source: 'source',
  'bootstrap.target': 'target',
};

/** Paths of the file with their values; in plugin entries `storage s3 bucket`. A path may occur more than once. */
function written(): { name: string; value: unknown }[] {
  const found: { name: string; value: unknown }[] = [];
  const visit = (node: unknown, path: string): void => {
    const kind = ENTRIES[path];
    if (kind !== undefined && isSeq(node)) for (const item of node.items) entry(kind, item);
    else if (kind !== undefined) entry(kind, node);
    else if (isMap(node)) {
      for (const { key, value } of node.items)
        visit(value, path === '' ? String(key) : `${path}.${String(key)}`);
    } else found.push({ name: path, value: json(node) });
  };
  const entry = (kind: PluginKind, node: unknown): void => {
    if (!isMap(node)) throw new Error(`an entry of kind ${kind} is no map`);
    const use = String(node.get('use'));
    for (const { key, value } of node.items)
      found.push({ name: `${kind} ${use} ${String(key)}`, value: json(value) });
  };
  const document = parseDocument(EVERYTHING, { uniqueKeys: false });
  expect(document.errors).toEqual([]);
  visit(document.contents, '');
  return found;
}

const json = (node: unknown): unknown =>
  isScalar(node) ? node.value : (node as { toJSON?: () => unknown } | null)?.toJSON?.();

/** Every setting that there is, with its default. */
async function known(): Promise<Map<string, unknown>> {
  const names = new Map<string, unknown>();
  const visit = (path: string[]): void => {
    const name = path.join('.');
    if (ENTRIES[name] !== undefined) return;
    const keys = core.keys(path);
    if (keys.length === 0) names.set(name, core.keyword(path, 'default'));
    for (const key of keys) visit([...path, key]);
  };
  visit([]);
  const catalogue = new InstalledPlugins();
  for (const [kind, plugins] of Object.entries(BUILT_INS)) {
    for (const use of Object.keys(plugins)) {
      const plugin = await catalogue.load({ kind: kind as PluginKind, use, url: null });
      const schema = plugin.settings['~standard'].jsonSchema?.input({ target: 'draft-2020-12' }) ?? {};
      const outline = new SchemaOutline(schema);
      for (const key of ['use', ...outline.keys([])])
        names.set(`${kind} ${use} ${key}`, outline.keyword([key], 'default'));
    }
  }
  return names;
}

describe('.kongfallbackrc.example', () => {
  test('has every setting exactly once, and none that does not exist', async () => {
    const names = written()
      .map(({ name }) => name)
      // The core's keys are the same in every entry and stand in one of them.
      .map((name) =>
        ENTRY_KEYS.storage.includes(name.split(' ')[2] ?? '') && !name.endsWith(' use') ? '' : name,
      )
      .filter((name) => name !== '');
    expect([...names].sort()).toEqual([...(await known()).keys()].sort());
    for (const key of ENTRY_KEYS.storage)
      expect(
        written().some(({ name }) => name.endsWith(` ${key}`)),
        key,
      ).toBe(true);
  });

  test('shows the defaults that there are', async () => {
    const settings = await known();
    for (const { name, value } of written()) {
      const usual = settings.get(name);
      if (usual === undefined || name === 'gatewayVersions') continue;
      expect({ name, value }).toEqual({ name, value: usual });
    }
  });

  test.each<Role>(['exporter', 'node', 'relay', 'all'])('loads as it stands, as %s', async (role) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kf-example-')));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { certificate, key } = clusterCertificate();
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const files = {
      'cluster.crt': certificate,
      'cluster.key': key,
      'k1.key': randomBytes(32).toString('base64'),
      'head.pub': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      'head.key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(folder, name), text, { mode: 0o600 });
    cpSync('.kongfallbackrc.example', join(folder, '.kongfallbackrc'));
    const loaded = await loadSettings({
      role,
      cwd: folder,
      env: {},
      catalogue: new InstalledPlugins(),
      etcDirectory: folder,
    });
    expect(loaded.warnings).toEqual([]);
    expect(loaded.entries.storages.map(({ id }) => id)).toEqual(['s3', 'dr-site']);
    const shown = JSON.stringify(loaded.rows);
    for (const secret of [
      files['k1.key'],
      key.split('\n')[1] ?? '',
      files['head.key'].split('\n')[1] ?? '',
    ]) {
      expect(shown).not.toContain(secret);
    }
  });
});
