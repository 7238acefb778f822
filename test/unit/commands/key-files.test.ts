// Key files that everybody may read, and signing keys that are changed.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { documentNumber, frameOf } from '../../e2e/exported.ts';
import { Site } from '../../e2e/site.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { signingPair } from '../snapshot/sample-head.ts';
import { run } from './command-run.ts';

let site: Site;
let controlPlane: StandInControlPlane;

beforeEach(async () => {
  site = new Site();
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  site.pointAt(controlPlane.port);
});
afterEach(async () => {
  await controlPlane.close();
  site.remove();
});

const send = (n: number) => controlPlane.setFrame(frameOf(documentNumber(n), 600 - 60 * n));
const once = () => run(['export', '--once', '--json'], site.directory);
const bootstrap = () => run(['bootstrap', '--once'], site.directory);

describe('a key file that others may read', () => {
  const KEYS = ['head.key', 'encryption.key', 'cluster.key'];

  it.each(KEYS)('%s is refused by an exporter', async (name) => {
    send(1);
    chmodSync(join(site.directory, name), 0o604);
    const { code, stderr } = await once();
    expect(stderr).toContain('[KF_SETTINGS_KEY_READABLE]');
    expect(stderr).toContain(`chmod o-r ${join(site.directory, name)}`);
    expect(code).toBe(2);
  });

  it('all of them are listed', async () => {
    for (const name of KEYS) chmodSync(join(site.directory, name), 0o644);
    const { stderr } = await once();
    expect(stderr.match(/may be read by every user/g)).toHaveLength(KEYS.length);
  });

  it('a group may read them, as Kubernetes needs it, and a public key is nobody’s secret', async () => {
    send(1);
    for (const name of KEYS) chmodSync(join(site.directory, name), 0o440);
    chmodSync(join(site.directory, 'head.pub'), 0o644);
    expect((await once()).stderr).not.toContain('READABLE');
  });

  it('does not keep a node from its configuration: it is told, and starts', async () => {
    send(1);
    expect((await once()).code).toBe(0);
    site.pointAt(1);
    for (const name of KEYS) chmodSync(join(site.directory, name), 0o644);
    const { code, stdout } = await bootstrap();
    expect(code).toBe(0);
    expect(stdout).toContain('origin: storage');
  });
});

describe('a new signing key', () => {
  const next = signingPair();
  const trusting = (...names: string[]) =>
    site.configure({
      signing: {
        publicKeys: names.map((name) => `\${file:${name}.pub}`),
        privateKey: `\${file:${names.at(-1)}.key}`,
      },
    });

  beforeEach(async () => {
    site.write('next.pub', next.publicPem);
    site.write('next.key', next.privatePem);
    send(1);
    expect((await once()).code).toBe(0);
  });

  it('with overlap: the old head is taken, the new one follows it, and readers with both keys accept both', async () => {
    const history = async () => {
      const { json } = await run(['history', '--json'], site.directory);
      return (json() as { lines: { stores: object[]; snapshots: object[] }[] }).lines[0];
    };
    trusting('head', 'next');
    expect(await history()).toMatchObject({ stores: [{ authenticated: true }], snapshots: [{}] });
    send(2);
    expect((await once()).json()).toMatchObject({ lines: [{ outcome: 'published' }] });
    // The former one is still listed: the old head was read, not written over.
    expect(await history()).toMatchObject({ stores: [{ authenticated: true }], snapshots: [{}, {}] });
    site.pointAt(1);
    trusting('head', 'next');
    expect((await bootstrap()).stdout).toContain('origin: storage');
    trusting('next');
    expect(await history()).toMatchObject({ stores: [{ authenticated: true }] });
  });

  it('without overlap: a reader refuses the old head, and says which key it was', async () => {
    site.pointAt(1);
    trusting('next');
    const { code, stderr, stdout } = await run(['show', 'current'], site.directory);
    expect([code, stdout]).toEqual([11, '']);
    expect(stderr).toContain('[KF_HEAD_UNTRUSTED]');
    expect(stderr).toContain('signing.publicKeys');
  });

  it('without overlap: an exporter replaces the old head by what the control plane sends', async () => {
    trusting('next');
    send(2);
    expect((await once()).json()).toMatchObject({ lines: [{ outcome: 'published' }] });
    expect((await run(['show', 'current'], site.directory)).stdout).toContain('signed by a trusted key');
  });
});
