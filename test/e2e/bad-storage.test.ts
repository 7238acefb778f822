// What a new node makes of a store that is empty, damaged, forged, of somebody else, or closed to it.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { documentNumber, exported } from './exported.ts';
import { expectNoSecret, expectRefusal, type Refusal } from './refusal.ts';
import type { Site } from './site.ts';

const BOOTSTRAP = ['bootstrap', '--once'];
const failed = { code: 'KF_RESTORE_FAILED' };

const line = (site: Site): string => join(site.store, '3.9.3');
const headOf = (site: Site): string => join(line(site), 'head.json');
const snapshotsOf = (site: Site): string[] =>
  readdirSync(join(line(site), 'snapshots')).map((name) => join(line(site), 'snapshots', name));
const truncate = (path: string, length: number) =>
  writeFileSync(path, readFileSync(path).subarray(0, length));
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

interface Case extends Omit<Refusal, 'code'> {
  readonly name: string;
  readonly spoil: (site: Site) => void;
}

describe('a directory with one snapshot', () => {
  let original: Site;
  let site: Site;

  beforeAll(async () => {
    original = await exported({}, [documentNumber(1)]);
    writeFileSync(original.target, '{"_format_version":"3.0"}');
  });
  beforeEach(() => {
    site = original.copy();
  });
  afterEach(() => site.remove());
  afterAll(() => original.remove());

  const cases: readonly Case[] = [
    {
      name: 'no head',
      spoil: (site) => rmSync(line(site), { recursive: true }),
      ...{ exit: 10, names: /KF_HEAD_MISSING/, hint: /exported for this gateway version/ },
    },
    {
      name: 'a store that does not exist',
      spoil: (site) => site.configure({ storages: [{ use: 'file', path: 'absent/store' }] }),
      ...{ exit: 10, names: /absent/ },
    },
    {
      name: 'another gateway version',
      spoil: (site) => site.configure({ gatewayVersions: ['3.8.1'] }),
      ...{ exit: 10, names: /3\.8\.1.*KF_HEAD_MISSING/ },
    },
    {
      name: "another version's head in this one's place",
      spoil: (site) => {
        site.configure({ gatewayVersions: ['3.8.1'] });
        cpSync(line(site), join(site.store, '3.8.1'), { recursive: true });
      },
      ...{ exit: 2, names: /KF_HEAD_OTHER_VERSION/ },
    },
    {
      name: "another cluster's head",
      spoil: (site) => site.configure({ cluster: 'staging' }),
      ...{ exit: 2, names: /KF_HEAD_OTHER_CLUSTER/ },
    },
    {
      name: 'a signature of a key that is not trusted',
      spoil: (site) => {
        const { publicKey } = generateKeyPairSync('ed25519');
        site.write('head.pub', String(publicKey.export({ type: 'spki', format: 'pem' })));
      },
      ...{ exit: 11, names: /KF_HEAD_UNTRUSTED/, hint: /signing\.publicKeys/ },
    },
    {
      name: 'another encryption key',
      spoil: (site) => site.write('encryption.key', randomBytes(32).toString('base64')),
      ...{ exit: 11, names: /KF_KEY_UNKNOWN|KF_ENCRYPTION/, hint: /key/ },
    },
    {
      name: 'an unknown encryption',
      spoil: (site) => site.configure({ encryption: { use: 'none' } }),
      ...{ exit: 11, names: /KF_ENCRYPTION_NOT_CONFIGURED/, hint: /encryption/ },
    },
    {
      name: 'a flipped byte in the signed part of the head',
      spoil: (site) => flip(headOf(site), 200),
      ...{ exit: 12, names: /KF_HEAD_/ },
    },
    {
      name: 'a head of another format',
      spoil: (site) => writeFileSync(headOf(site), '{"current":"snapshot-17"}'),
      ...{ exit: 12, names: /KF_HEAD_/ },
    },
    {
      name: 'an empty head',
      spoil: (site) => truncate(headOf(site), 0),
      ...{ exit: 12, names: /KF_HEAD_/ },
    },
    {
      name: 'a truncated head',
      spoil: (site) => truncate(headOf(site), 500),
      ...{ exit: 12, names: /KF_HEAD_/ },
    },
    {
      name: 'an endless head',
      spoil: (site) => writeFileSync(headOf(site), Buffer.alloc(64 * 1024 * 1024, ' ')),
      ...{ exit: 12, names: /KF_STORE_OBJECT_TOO_LARGE/ },
    },
    {
      name: 'a flipped byte in the snapshot',
      spoil: (site) => flip(snapshotsOf(site)[0] as string, 1000),
      ...{ exit: 12, names: /KF_SNAPSHOT_CORRUPT/ },
    },
    {
      name: 'a truncated snapshot',
      spoil: (site) => truncate(snapshotsOf(site)[0] as string, 1000),
      ...{ exit: 12, names: /KF_SNAPSHOT_CORRUPT/ },
    },
    {
      name: 'an extended snapshot',
      spoil: (site) => writeFileSync(snapshotsOf(site)[0] as string, 'x', { flag: 'a' }),
      ...{ exit: 12, names: /KF_STORE_OBJECT_TOO_LARGE/ },
    },
    {
      name: 'a snapshot that is gone',
      spoil: (site) => rmSync(snapshotsOf(site)[0] as string),
      ...{ exit: 12, names: /KF_SNAPSHOT_MISSING/ },
    },
    {
      name: 'a head older than bootstrap.minimumSequence',
      spoil: (site) =>
        site.configure({
          bootstrap: {
            cacheDirectory: 'cache',
            probeSeconds: 2,
            minimumSequence: 9_999_999_999,
            target: { use: 'file', path: 'node/kong.json' },
          },
        }),
      ...{ exit: 12, names: /KF_HEAD_ROLLED_BACK/ },
    },
  ];

  it.each(cases)('$name', async ({ spoil, name: _, ...expected }) => {
    spoil(site);
    const { json } = await expectRefusal(site, BOOTSTRAP, { ...failed, ...expected });
    expect(json.json()).toMatchObject({ origin: 'none', error: { code: failed.code } });
    expect(readFileSync(site.target, 'utf8')).toBe('{"_format_version":"3.0"}');
  });
});

it('an unsigned head is refused by a reader that has public keys', async () => {
  const site = await exported({ signed: false }, [documentNumber(1)]);
  const reader = site.copy({ signed: true });
  const { publicKey } = generateKeyPairSync('ed25519');
  reader.write('head.pub', String(publicKey.export({ type: 'spki', format: 'pem' })));
  reader.configure({ signing: { publicKeys: [`\${file:head.pub}`] } });
  await expectRefusal(reader, BOOTSTRAP, { ...failed, exit: 11, names: /KF_HEAD_UNSIGNED/, hint: /sign/ });
  reader.remove();
  site.remove();
});

describe('a directory with two snapshots', () => {
  let original: Site;
  let newest: string;
  let site: Site;

  beforeAll(async () => {
    original = await exported({}, [documentNumber(1), documentNumber(2)]);
    const head = JSON.parse(readFileSync(headOf(original), 'utf8')) as { payload: string };
    const { entries } = JSON.parse(Buffer.from(head.payload, 'base64').toString()) as {
      entries: { key: string }[];
    };
    expect(entries).toHaveLength(2);
    newest = basename(entries[0]?.key ?? '');
  });
  beforeEach(() => {
    site = original.copy();
  });
  afterEach(() => site.remove());
  afterAll(() => original.remove());

  it.each([
    { name: 'a flipped byte', spoil: (path: string) => flip(path, 1000), code: 'KF_SNAPSHOT_CORRUPT' },
    { name: 'a truncation', spoil: (path: string) => truncate(path, 10), code: 'KF_SNAPSHOT_CORRUPT' },
    { name: 'a loss', spoil: (path: string) => rmSync(path), code: 'KF_SNAPSHOT_MISSING' },
    {
      name: 'a swap with the older one',
      spoil: (path: string) => {
        const folder = join(path, '..');
        const other = readdirSync(folder).find((name) => name !== newest) as string;
        renameSync(join(folder, other), `${path}.moved`);
        renameSync(path, join(folder, other));
        renameSync(`${path}.moved`, path);
        cpSync(path, join(folder, other));
      },
      code: 'KF_',
    },
  ])('$name of the newest: the older one is applied, and a finding says so', async ({ spoil, code }) => {
    spoil(join(line(site), 'snapshots', newest));
    const result = await site.run([...BOOTSTRAP, '--json']);
    expect(result.code, result.stderr).toBe(0);
    const { origin, findings } = result.json() as { origin: string; findings: { code: string }[] };
    expect(origin).toBe('storage');
    expect(findings.map((finding) => finding.code)).toContain('restore/older-snapshot');
    expect(JSON.stringify(findings)).toContain(code);
    expect(readFileSync(site.target).equals(documentNumber(1))).toBe(true);
    expectNoSecret(result, site.secrets);
  });

  it('takes the newest where nothing is wrong', async () => {
    const result = await site.run([...BOOTSTRAP, '--json']);
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ origin: 'storage', findings: [] });
    expect(readFileSync(site.target).equals(documentNumber(2))).toBe(true);
  });
});
