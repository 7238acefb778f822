// history, show, diff, rollback and trust on one site with three published configurations.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli.ts';
import { documentNumber, frameOf } from '../../e2e/exported.ts';
import { Site } from '../../e2e/site.ts';
import { startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { run } from './command-run.ts';

const DOCUMENTS = [1, 2, 3].map(documentNumber);
const STORES = [
  { use: 'file', path: 'store' },
  { id: 'dr', use: 'file', path: 'dr' },
];

let published: Site;
let site: Site;

beforeAll(async () => {
  published = new Site({ storages: STORES });
  mkdirSync(join(published.directory, 'dr'));
  const controlPlane = await startStandInControlPlane({ certificate: published.certificate });
  published.pointAt(controlPlane.port);
  for (const [index, document] of DOCUMENTS.entries()) {
    controlPlane.setFrame(frameOf(document, 60 * (DOCUMENTS.length - index)));
    const { code, stderr } = await run(['export', '--once'], published.directory);
    if (code !== 0) throw new Error(stderr);
  }
  await controlPlane.close();
  published.pointAt(1);
}, 60_000);
afterAll(() => published.remove());

beforeEach(() => {
  site = published.copy();
});
afterEach(() => site.remove());

const command = (...argv: string[]) => run(argv, site.directory);
const reason = ['--reason', 'broke login'];
const headBytes = (store = 'store') => readFileSync(join(site.directory, store, '3.9.3', 'head.json'));
interface Listed {
  sequence: number;
  documentSha256: string;
  marks: string[];
  notIn: string[];
}
const history = async (): Promise<Listed[]> => {
  const { json } = await command('history', '--json');
  return (json() as { lines: { snapshots: Listed[] }[] }).lines[0]?.snapshots ?? [];
};
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('kongfallback-open-'));

describe('history', () => {
  it('lists what is kept, with the rights of a reader and no secret', async () => {
    for (const secret of ['cluster.key', 'encryption.key', 'head.key']) rmSync(join(site.directory, secret));
    const { code, stdout, stderr } = await command('history');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^gateway 3\.9\.3\n +sequence +hash +as of/);
    expect(stdout.match(/the same counts/g)).toHaveLength(2);
    const snapshots = await history();
    expect(snapshots.map(({ marks }) => marks)).toEqual([['current'], [], []]);
    expect(snapshots[0]?.sequence).toBeGreaterThan(snapshots[1]?.sequence ?? 0);
  });

  it('tells what the storages hold differently', async () => {
    const old = headBytes('dr');
    await command('rollback', 'previous', ...reason);
    writeFileSync(join(site.directory, 'dr', '3.9.3', 'head.json'), old);
    const { stdout } = await command('history');
    expect(stdout).toMatch(/storage dr: its head is of sequence \d+, the newest is \d+/);
    expect(stdout).toContain('held by ');
    expect(stdout).toMatch(/current, held\n/);
    expect(stdout).toMatch(/rejected\n/);
  });

  it('fails like a restore when there is nothing', async () => {
    rmSync(join(site.directory, 'store', '3.9.3'), { recursive: true });
    rmSync(join(site.directory, 'dr', '3.9.3'), { recursive: true });
    expect((await command('history')).code).toBe(10);
  });
});

describe('show', () => {
  it('tells what the head says', async () => {
    const { code, stdout } = await command('show', 'current');
    expect(code).toBe(0);
    expect(stdout).toContain(`${DOCUMENTS[2]?.length} bytes`);
    expect(stdout).toContain('signed by a trusted key');
  });

  it('writes the document whole, for its owner only, and leaves nothing behind', async () => {
    const before = leftovers();
    const { code, stdout, stderr } = await command('show', 'previous', '--document', '--output', 'out.json');
    expect([code, stdout], stderr).toEqual([0, '']);
    const path = join(site.directory, 'out.json');
    expect(readFileSync(path).equals(DOCUMENTS[1] as Buffer)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(leftovers().filter((name) => !before.includes(name))).toEqual([]);
  });

  it.each([
    ['an unknown snapshot', ['show', '99'], 'KF_SNAPSHOT_UNKNOWN'],
    ['a folder that is not there', ['show', 'current', '--output', 'no/where.json'], 'KF_SHOW_UNWRITABLE'],
    ['two answers at once', ['show', 'current', '--document', '--json'], 'KF_USAGE'],
  ])('refuses %s', async (_what, argv, code) => {
    const result = await command(...argv);
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.code).toBe(2);
  });

  it('never writes a document to a terminal', async () => {
    let [written, stderr] = ['', ''];
    const code = await main(['show', 'current', '--document'], {
      cwd: site.directory,
      env: {},
      stderr: (text) => {
        stderr += text;
      },
      output: {
        isTTY: true,
        write: (text: unknown) => {
          written += String(text);
          return true;
        },
      },
    });
    expect([code, written]).toEqual([2, '']);
    expect(stderr).toContain('[KF_USAGE]');
  });

  it('a damaged snapshot gives no file', async () => {
    const [{ documentSha256 = '' } = {}] = await history();
    for (const store of ['store', 'dr']) {
      const folder = join(site.directory, store, '3.9.3', 'snapshots');
      const name = readdirSync(folder).find((one) => one.startsWith(documentSha256.slice(0, 16))) ?? '';
      const bytes = readFileSync(join(folder, name));
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(join(folder, name), bytes);
    }
    const { code, stderr } = await command('show', 'current', '--output', 'out.json');
    expect(code, stderr).toBe(12);
    expect(readdirSync(site.directory).filter((name) => name.startsWith('out'))).toEqual([]);
  });
});

describe('diff', () => {
  it('says what changed, and nothing secret', async () => {
    const { code, stdout, stderr } = await command('diff', 'previous', 'current', '--values');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^gateway 3\.9\.3: \d+ \(.*\) -> \d+ /);
    expect(stdout).toContain('1 changed');
    expect((await command('diff', 'current', 'current', '--json')).json()).toMatchObject({
      changed: 0,
      changes: [],
    });
    expect((await command('diff', 'current', 'previous', '--limit', '0')).stderr).toContain('[KF_USAGE]');
  });

  it('needs a key that opens', async () => {
    site.write('encryption.key', `${Buffer.alloc(32).toString('base64')}\n`);
    const { code, stderr } = await command('diff', 'previous', 'current');
    expect(code).toBe(11);
    expect(stderr).toContain('[KF_KEY_UNKNOWN]');
  });
});

describe('rollback', () => {
  it('from the command line, and its end', async () => {
    const { code, stdout, stderr } = await command('rollback', 'previous', ...reason, '--by', 'ada');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('hold:    by ada since');
    expect(stdout).toContain('rejects 1: broke login');
    expect(headBytes('dr').equals(headBytes())).toBe(true);
    const snapshots = await history();
    expect(snapshots.map(({ marks }) => marks)).toEqual([['current', 'held'], ['rejected'], []]);
    const restored = await command('bootstrap', '--once');
    expect(restored.stderr).not.toContain('error:');
    const again = await command('rollback', '--resume', '--json');
    expect(again.json()).toMatchObject({
      lines: [{ outcome: 'resumed', stores: [{ outcome: 'written' }, {}] }],
    });
    const nothing = await command('rollback', '--resume');
    expect([nothing.code, nothing.stderr]).toEqual([
      2,
      expect.stringContaining('[KF_ROLLBACK_NOTHING_HELD]'),
    ]);
  });

  it('a dry run writes nothing', async () => {
    const before = headBytes();
    const { code, json } = await command('rollback', 'previous', ...reason, '--dry-run', '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({ lines: [{ outcome: 'planned', checked: 'opened', stores: [] }] });
    expect(headBytes().equals(before)).toBe(true);
  });

  it.each<[string, string[], string]>([
    ['no reason', ['previous'], 'KF_USAGE'],
    ['no snapshot', [...reason], 'KF_USAGE'],
    ['a time without its zone', ['previous', ...reason, '--until', '2030-01-01T00:00'], 'KF_USAGE'],
    ['a time that has passed', ['previous', ...reason, '--until', '2020-01-01T00:00Z'], 'KF_USAGE'],
    ['a version that is not exported', ['previous', ...reason, '--gateway-version', '3.4.0'], 'KF_USAGE'],
    [
      'both kinds of choice',
      ['previous', ...reason, '--gateway-version', '3.9.3', '--all-versions'],
      'KF_USAGE',
    ],
    ['a resume with a snapshot', ['previous', '--resume'], 'KF_USAGE'],
    ['an unknown hash', ['0123456789ab', ...reason], 'KF_ROLLBACK_UNKNOWN_SNAPSHOT'],
    ['what is current', ['current', ...reason], 'KF_ROLLBACK_CURRENT'],
  ])('refuses %s, and writes nothing', async (_what, argv, code) => {
    const before = headBytes();
    const result = await command('rollback', ...argv);
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.stderr).toContain('hint: ');
    expect(result.code).toBe(2);
    expect(headBytes().equals(before)).toBe(true);
  });

  it('refuses a snapshot that is gone from every storage, and takes it from any', async () => {
    const [, { documentSha256 = '' } = {}] = await history();
    const before = headBytes();
    const remove = (store: string) => {
      const folder = join(site.directory, store, '3.9.3', 'snapshots');
      for (const name of readdirSync(folder).filter((one) => one.startsWith(documentSha256.slice(0, 16))))
        rmSync(join(folder, name));
    };
    remove('dr');
    expect((await command('rollback', 'previous', ...reason, '--dry-run')).code).toBe(0);
    remove('store');
    const { code, stderr } = await command('rollback', 'previous', ...reason);
    expect(stderr).toContain('[KF_SNAPSHOT_MISSING]');
    expect(code).toBe(12);
    expect(headBytes().equals(before)).toBe(true);
  });

  it('refuses to write what readers would not believe', async () => {
    const other = new Site();
    site.write('head.key', other.signingKey);
    other.remove();
    const { code, stderr } = await command('rollback', 'previous', ...reason);
    expect(stderr).toContain('[KF_ROLLBACK_NOT_SIGNED]');
    expect(code).toBe(2);
  });

  it('asks which gateway version, and takes all of them, each checked before the first is written', async () => {
    site.configure({ gatewayVersions: ['3.9.3', '3.9.1'] });
    const which = await command('rollback', 'previous', ...reason);
    expect([which.code, which.stderr]).toEqual([2, expect.stringContaining('which gateway version?')]);
    const before = headBytes();
    const none = await command('rollback', 'previous', ...reason, '--all-versions');
    expect([none.code, none.stderr]).toEqual([
      10,
      expect.stringContaining('gateway 3.9.1: no storage holds'),
    ]);
    expect(headBytes().equals(before)).toBe(true);

    const controlPlane = await startStandInControlPlane({ certificate: site.certificate });
    site.pointAt(controlPlane.port);
    site.configure({ gatewayVersions: ['3.9.3', '3.9.1'] });
    for (const n of [4, 5]) {
      controlPlane.setFrame(frameOf(documentNumber(n), 40 - 6 * n));
      expect((await command('export', '--once')).code).toBe(0);
    }
    await controlPlane.close();
    const { code, json } = await command('rollback', 'previous', ...reason, '--all-versions', '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      lines: [
        { gatewayVersion: '3.9.3', outcome: 'rolled-back' },
        { gatewayVersion: '3.9.1', outcome: 'rolled-back' },
      ],
    });
  });

  it('says loudly that a storage was not reached', async () => {
    site.write('nowhere', 'a file');
    site.configure({ storages: [STORES[0], { id: 'dr', use: 'file', path: 'nowhere' }] });
    const { code, stdout, stderr } = await command('rollback', 'previous', ...reason);
    expect(stdout).toContain('storage dr: failed');
    expect(stderr).toContain('[KF_ROLLBACK_INCOMPLETE]');
    expect(code).toBe(10);
  });
});

describe('trust', () => {
  const ratchet = () => join(site.cache, 'e2e', '3.9.3', 'ratchet.json');
  const seen = (sequence: number) => {
    mkdirSync(join(site.cache, 'e2e', '3.9.3'), { recursive: true });
    writeFileSync(ratchet(), JSON.stringify({ sequence }));
  };

  it('compares what was seen with what is stored', async () => {
    expect((await command('trust')).code).toBe(0);
    const [{ sequence = 0 } = {}] = await history();
    seen(sequence + 100);
    const { code, stdout } = await command('trust');
    expect(code).toBe(22);
    expect(stdout).toContain(`seen here: sequence ${sequence + 100}`);
  });

  it('is reset on purpose only, and to what is stored now', async () => {
    const [{ sequence = 0 } = {}] = await history();
    seen(sequence + 100);
    const refused = await command('trust', '--reset-sequence');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('[KF_TRUST_NOT_CONFIRMED]')]);
    expect((await command('trust', '--reset-sequence', '--yes')).code).toBe(0);
    expect(JSON.parse(readFileSync(ratchet(), 'utf8'))).toEqual({ sequence });
    expect((await command('trust')).code).toBe(0);
  });
});
