// A rollback with processes: restarts, an emptied storage, the rejected configuration again, and then another.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { documentNumber, frameOf } from './exported.ts';
import { RunningExporter } from './running-exporter.ts';
import { Site } from './site.ts';

let site: Site;
let controlPlane: StandInControlPlane;
let exporter: RunningExporter | undefined;

beforeEach(async () => {
  site = new Site({
    storages: [
      { use: 'file', path: 'store' },
      { id: 'dr', use: 'file', path: 'dr' },
    ],
    // Every two seconds: the confirmations of an hour in a few seconds.
    settings: { export: { confirmSchedule: '*/2 * * * * *', delaySeconds: 0 } },
  });
  mkdirSync(join(site.directory, 'dr'));
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  site.pointAt(controlPlane.port);
});

afterEach(async () => {
  await exporter?.stop();
  await controlPlane.close();
  site.remove();
});

interface StoredHead {
  readonly sequence: number;
  readonly aliveAt: string;
  readonly confirmedAt: string;
  readonly hold: { readonly reason: string } | null;
  readonly entries: readonly { readonly document: { readonly sha256: string } }[];
}

function head(store = 'store'): StoredHead {
  const text = readFileSync(join(site.directory, store, '3.9.3', 'head.json'), 'utf8');
  const { payload } = JSON.parse(text) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString()) as StoredHead;
}
const current = (store?: string) => head(store).entries[0]?.document.sha256;

it('is obeyed by every process until something new comes', async () => {
  for (const [n, age] of [
    [1, 300],
    [2, 200],
  ] as const) {
    controlPlane.setFrame(frameOf(documentNumber(n), age));
    expect((await site.run(['export', '--once'])).code).toBe(0);
  }
  const bad = current();
  exporter = await RunningExporter.start(site);
  await exporter.event(['export.unchanged', 'export.confirmed']);

  const { code, stdout, stderr } = await site.run(['rollback', 'previous', '--reason', 'broke login']);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('storage dr: written');
  const good = current();
  expect(good).not.toBe(bad);

  // The control plane sends the rejected one at each confirmation: to this process, and to the next one.
  await exporter.event('export.held');
  await exporter.stop();
  exporter = await RunningExporter.start(site);
  await exporter.event('export.held');
  expect(await (await exporter.get('/health')).json()).toMatchObject({
    status: 'degraded',
    findings: expect.arrayContaining([expect.objectContaining({ code: 'held' })]),
  });

  // The exporter says that it is there, and confirms nothing.
  const before = head();
  await exporter.event('export.held');
  await exporter.event('export.held');
  await exporter.event('export.held');
  expect(Date.parse(head().aliveAt)).toBeGreaterThan(Date.parse(before.aliveAt));
  expect(head().confirmedAt).toBe(before.confirmedAt);

  // An emptied storage is filled again, with the hold.
  rmSync(join(site.directory, 'dr', '3.9.3'), { recursive: true });
  await exporter.event('level.done', { store: 'dr' });
  await exporter.event('export.held');
  expect(existsSync(join(site.directory, 'dr', '3.9.3', 'head.json'))).toBe(true);
  for (const store of ['store', 'dr']) {
    expect(current(store)).toBe(good);
    expect(head(store).hold?.reason).toBe('broke login');
  }

  // A new data plane gets what is held, although the control plane's own is kept as well.
  const node = site.copy();
  node.pointAt(1);
  const restored = await node.run(['bootstrap', '--once']);
  expect(restored.code, restored.stderr).toBe(0);
  expect(readFileSync(node.target).equals(documentNumber(1))).toBe(true);
  node.remove();

  controlPlane.setFrame(frameOf(documentNumber(3), 0));
  await exporter.event('export.published');
  expect(head().hold).toBeNull();
  expect([good, bad]).not.toContain(current());
  expect(current('dr')).toBe(current());
});

it('gives the document to a pipe, byte for byte', async () => {
  controlPlane.setFrame(frameOf(documentNumber(1), 0));
  expect((await site.run(['export', '--once'])).code).toBe(0);
  const { code, stdout, stderr } = await site.run(['show', 'current', '--document']);
  expect([code, stderr]).toEqual([0, '']);
  expect(Buffer.from(stdout).equals(documentNumber(1))).toBe(true);
});

it('compares in the thread of the bundle', async () => {
  for (const [n, age] of [
    [1, 300],
    [2, 200],
  ] as const) {
    controlPlane.setFrame(frameOf(documentNumber(n), age));
    expect((await site.run(['export', '--once'])).code).toBe(0);
  }
  const { code, stdout, stderr } = await site.run(['diff', 'previous', 'current']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('0 added, 0 removed, 1 changed\n~ tags');
});
