// A disaster at the control plane must not become the backup: emptied, halved, or with what no data plane loads. Real
// processes throughout: the control plane is one that is killed, the exporter one that is stopped and started.
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { documentPieces } from '../bench/generate.ts';
import { ControlPlaneProcess } from '../quickstart/control-plane.ts';
import { TestAuthority } from '../stand-in/certificates.ts';
import { expectNoSecret } from './refusal.ts';
import { RunningExporter } from './running-exporter.ts';
import { Site } from './site.ts';

type Table = Record<string, unknown>;

const SETTINGS = {
  validators: ['kong-schema', 'shrinkage', 'expiry', 'limits', 'outage-readiness'],
  export: { confirmSchedule: '*/2 * * * * *', delaySeconds: 0 },
};
const DAY_MS = 86_400_000;
const IN_A_YEAR = new Date(Math.floor((Date.now() + 365 * DAY_MS) / 1000) * 1000);

const good: Table = {
  ...(JSON.parse([...documentPieces({ entities: 1000, seed: 3 })].join('')) as Table),
  ca_certificates: [authority(1, IN_A_YEAR)],
};

const DISASTERS: readonly (readonly [string, code: string, Table])[] = [
  ['emptied', 'shrinkage/empty', only(good, 'workspaces', 'parameters')],
  ['halved', 'shrinkage/collection', halved(good)],
  [
    'with an expired CA certificate',
    'expiry/ca-certificate-expired',
    { ...good, ca_certificates: [authority(2, new Date(Date.now() - DAY_MS))] },
  ],
];

let site: Site;
let controlPlane: ControlPlaneProcess;
let exporter: RunningExporter | undefined;

beforeEach(async () => {
  site = new Site({ settings: SETTINGS });
  write('good.json', good);
  controlPlane = await ControlPlaneProcess.start({
    certificate: join(site.directory, 'cluster.crt'),
    key: join(site.directory, 'cluster.key'),
    document: join(site.directory, 'good.json'),
  });
  site.pointAt(controlPlane.port);
});
afterEach(async () => {
  const stopped = await exporter?.stop();
  exporter = undefined;
  await controlPlane.kill();
  if (stopped !== undefined) expectNoSecret(stopped, site.secrets);
  site.remove();
});

describe.each(DISASTERS)('a configuration %s', (_what, code, disaster) => {
  it('is not published, is alarmed, and the former one still starts a new node', async () => {
    exporter = await RunningExporter.start(site);
    await exporter.event('export.published');
    const published = currentOf(site);

    write('disaster.json', disaster);
    controlPlane.change(join(site.directory, 'disaster.json'));
    await exporter.event('finding.raised', { finding: 'configuration-refused' });
    await exporter.event('export.refused');
    expect(await (await exporter.get('/health')).json()).toMatchObject({
      status: 'degraded',
      findings: expect.arrayContaining([expect.objectContaining({ code: 'configuration-refused' })]),
    });
    expect(currentOf(site)).toEqual(published);

    // A restart forgets nothing: what is stored decides, not what this process has seen.
    expect((await exporter.stop()).code).toBe(0);
    exporter = await RunningExporter.start(site);
    await exporter.event('export.refused');
    expect((await exporter.stop()).code).toBe(0);
    exporter = undefined;
    const once = await site.run(['export', '--once', '--json']);
    expect(once.code, once.stderr).toBe(20);
    expect(once.stdout).toContain(`"${code}"`);
    expect(currentOf(site)).toEqual(published);
    // Put aside for whoever has to find out what happened.
    expect(readdirSync(join(site.store, '3.9.3', 'refused'))).toContainEqual(
      expect.stringMatching(/\.json$/),
    );

    await controlPlane.kill();
    const bootstrapped = await site.run(['bootstrap', '--once', '--json']);
    expect(bootstrapped.code, bootstrapped.stderr).toBe(0);
    expect(bootstrapped.json()).toMatchObject({ origin: 'storage' });
    expect(readFileSync(site.target, 'utf8')).toBe(JSON.stringify(good));
  });
});

describe('afterwards', () => {
  it('the alarm ends when the configuration is whole again', async () => {
    exporter = await RunningExporter.start(site);
    await exporter.event('export.published');
    write('disaster.json', DISASTERS[0]?.[2] ?? {});
    controlPlane.change(join(site.directory, 'disaster.json'));
    await exporter.event('finding.raised', { finding: 'configuration-refused' });
    controlPlane.change(join(site.directory, 'good.json'));
    await exporter.event('finding.cleared', { finding: 'configuration-refused' });
  });

  it('what is meant is published once, with a reason; an expired CA certificate never is', async () => {
    const first = await site.run(['export', '--once']);
    expect(first.code, first.stderr).toBe(0);
    expect(currentOf(site).loadableUntil).toBe(IN_A_YEAR.toISOString());
    const accept = ['export', '--once', '--accept-shrinkage', 'half of it moved away'];

    write('expired.json', DISASTERS[2]?.[2] ?? {});
    controlPlane.change(join(site.directory, 'expired.json'));
    expect((await site.run(accept)).code).toBe(20);

    write('half.json', halved(good));
    controlPlane.change(join(site.directory, 'half.json'));
    const accepted = await site.run(accept);
    expect(accepted.code, accepted.stderr + accepted.stdout).toBe(0);
    await controlPlane.kill();
    rmSync(site.target, { force: true });
    await site.run(['bootstrap', '--once']);
    expect(readFileSync(site.target, 'utf8')).toBe(JSON.stringify(halved(good)));
  });
});

describe('a program of the operator as a validator', () => {
  const judgedBy = (...command: string[]) =>
    site.configure({ validators: ['kong-schema', { use: 'command', command }] });

  it('refuses with its exit code', async () => {
    judgedBy('sh', '-c', 'echo "orders has no owner"; exit 3');
    const { code, stdout, stderr } = await site.run(['export', '--once']);
    expect(code, stderr).toBe(20);
    expect(stdout).toContain('sh ended with 3: orders has no owner');
    expect(existsSync(join(site.store, '3.9.3', 'head.json'))).toBe(false);
  });

  it('that is not there stops the export instead of passing', async () => {
    judgedBy('./no-such-program', '{file}');
    const { code, stderr } = await site.run(['export', '--once']);
    expect(code).toBe(2);
    expect(stderr).toContain('[KF_VALIDATOR_INVALID]');
    expect(stderr).toMatch(/hint: Name a program that is there/);
  });

  it('leaves neither itself nor the document when the exporter is killed', async () => {
    // One that has run for a moment: its group is known right after its start, and not before.
    judgedBy('sh', '-c', 'sleep 1; echo $$ > pid; sleep 600', 'sh', '{file}');
    const ready = fileIn('pid');
    let kill: (signal: NodeJS.Signals) => void = () => {};
    const env = { TMPDIR: site.directory };
    const onStart = (send: typeof kill): void => {
      kill = send;
    };
    const running = site.run(['export', '--once'], { env, onStart });
    const pid = Number(await ready);
    const kept = () =>
      readdirSync(site.directory).filter((name) => name.startsWith('kongfallback-validator-'));
    expect(kept()).toHaveLength(1);
    kill('SIGKILL');
    expect((await running).signal).toBe('SIGKILL');
    await changesUntil(() => kept().length === 0);
    expect(isRunning(pid)).toBe(false);
  });
});

/** What is written there, as soon as it is a whole line. */
async function fileIn(name: string): Promise<string> {
  const path = join(site.directory, name);
  const text = () => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  await changesUntil(() => text().endsWith('\n'));
  return text();
}

/** Looks again whenever something happens in the site's folder; the test's own time limit ends the wait. */
async function changesUntil(holds: () => boolean): Promise<void> {
  const watcher = watch(site.directory);
  try {
    while (!holds()) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function write(name: string, table: Table): void {
  site.write(name, JSON.stringify(table));
}

/** The newest entry of the head. */
function currentOf({ store }: Site): { readonly key: string; readonly loadableUntil: string | null } {
  const { payload } = JSON.parse(readFileSync(join(store, '3.9.3', 'head.json'), 'utf8')) as {
    payload: string;
  };
  const head = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
    entries: { key: string; loadableUntil: string | null }[];
  };
  const [current] = head.entries;
  if (current === undefined) throw new Error('the head lists nothing');
  return current;
}

function only(table: Table, ...names: string[]): Table {
  return Object.fromEntries(
    Object.entries(table).filter(([name]) => name.startsWith('_') || names.includes(name)),
  );
}

/** Half of the consumers with their keys, less one, as after a restore that broke off. */
function halved(table: Table): Table {
  const consumers = table['consumers'] as { id: string }[];
  const left = consumers.slice(0, consumers.length / 2 - 1);
  const ids = new Set(left.map(({ id }) => id));
  const keys = (table['keyauth_credentials'] as { consumer: string }[]).filter(({ consumer }) =>
    ids.has(consumer),
  );
  return { ...table, consumers: left, keyauth_credentials: keys };
}

function authority(n: number, notAfter: Date): object {
  const cert = new TestAuthority('upstreams', { notAfter }).certificate;
  return {
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    cert,
    cert_digest: '00',
    created_at: 1,
    tags: null,
  };
}
