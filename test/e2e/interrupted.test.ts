// Ctrl-C, and the SIGTERM of a container that is stopped, at any moment: exit 130 at once, nothing half-written.
import { once } from 'node:events';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { S3Double, WRITER } from '../s3/double.ts';
import { type Behaviour, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { recordedFrame } from '../stand-in/frames.ts';
import type { CliResult } from './cli.ts';
import { documentNumber, exported } from './exported.ts';
import { expectJsonOrNothing, expectNoSecret } from './refusal.ts';
import { Site } from './site.ts';
import { treeOf } from './tree.ts';

const AT_ONCE_MS = 2000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const opened: { close: () => Promise<void> | void }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

function keep<T extends { remove: () => void }>(site: T): T {
  opened.push({ close: () => site.remove() });
  return site;
}

/** Runs until `moment`, then sends the signal; everything that was there before must be there unchanged. */
async function interrupt(
  site: Site,
  args: readonly string[],
  moment: Promise<unknown>,
  signal: NodeJS.Signals,
): Promise<CliResult> {
  const before = [treeOf(site.store), treeOf(dirname(site.target))];
  let kill: (signal: NodeJS.Signals) => void = () => {};
  const running = site.run([...args, '--json'], {
    onStart: (send) => {
      kill = send;
    },
  });
  const early = await Promise.race([moment.then(() => undefined), running]);
  expect(early?.stderr, 'it ended before the moment came').toBeUndefined();
  const sentAt = performance.now();
  kill(signal);
  const result = await running;
  expect(performance.now() - sentAt).toBeLessThan(AT_ONCE_MS);
  expect(result.code, result.stderr).toBe(130);
  expect(result.signal).toBeNull();
  const errors = result.stderr.split('\n').filter((line) => line.startsWith('error: '));
  expect(errors, result.stderr).toHaveLength(1);
  expect(errors[0]).toMatch(/interrupted by SIG.*\[KF_INTERRUPTED\]/);
  expect(result.stderr).toMatch(/^ {2}hint: .*again/m);
  expect(result.stderr).not.toMatch(/\n {4}at /);
  expect([treeOf(site.store), treeOf(dirname(site.target))]).toEqual(before);
  expectJsonOrNothing(result);
  expectNoSecret(result, site.secrets);
  return result;
}

describe.each(SIGNALS)('%s', (signal) => {
  it.each<[string, Behaviour, string]>([
    ['while TLS hangs', 'hang-tcp', 'connection'],
    ['while the upgrade hangs', 'hang-tls', 'request'],
    ['while the control plane is silent', 'silent', 'basic-info'],
  ])('export, %s', async (_, behaviour, event) => {
    const site = keep(new Site());
    const controlPlane = await startStandInControlPlane({ certificate: site.certificate, behaviour });
    opened.push(controlPlane);
    site.pointAt(controlPlane.port);
    await interrupt(site, ['export', '--once'], once(controlPlane, event), signal);
  });

  it('bootstrap, while it asks the control plane', async () => {
    const site = keep(await exported({ bootstrap: { probeSeconds: 60 } }, [documentNumber(1)]));
    const controlPlane = await startStandInControlPlane({
      certificate: site.certificate,
      behaviour: 'silent',
    });
    opened.push(controlPlane);
    site.pointAt(controlPlane.port);
    await interrupt(site, ['bootstrap', '--once'], once(controlPlane, 'basic-info'), signal);
    expect(treeOf(site.cache)).toEqual({});
  });

  it.each([/\.kfs$/, /head\.json$/])('export, while the upload of %s hangs', async (key) => {
    const { s3, site, hang } = await hangingBucket('put', key);
    const controlPlane = await startStandInControlPlane({
      certificate: site.certificate,
      frames: recordedFrame('mixed'),
    });
    opened.push(controlPlane);
    site.pointAt(controlPlane.port);
    await interrupt(site, ['export', '--once'], hang(), signal);
    expect([...s3.objects.keys()].filter((held) => held.endsWith('head.json'))).toEqual([]);
  });

  it.each([/head\.json$/, /\.kfs$/])('bootstrap, while the download of %s hangs', async (key) => {
    const { site, hang } = await hangingBucket('get', key);
    const controlPlane = await startStandInControlPlane({
      certificate: site.certificate,
      frames: recordedFrame('mixed'),
    });
    site.pointAt(controlPlane.port);
    expect((await site.run(['export', '--once'])).code).toBe(0);
    await controlPlane.close();
    await interrupt(site, ['bootstrap', '--once'], hang(), signal);
    const left = Object.keys(treeOf(site.cache)).filter((path) => /\.(kfs|tmp)$/.test(path));
    expect(left).toEqual([]);
  });

  it('export, before anything has happened', async () => {
    const site = keep(new Site());
    const result = await site.run(['export', '--once'], { onStart: (kill) => setImmediate(kill, signal) });
    // So early that nobody handles signals yet, or late enough to be told.
    expect(result.code === 130 || result.signal === signal, result.stderr).toBe(true);
    expect(treeOf(site.store)).toEqual({});
  });
});

/** A bucket with one request that is never answered, and the moment when that arrives. */
async function hangingBucket(on: 'get' | 'put', key: RegExp) {
  const s3 = await new S3Double().start();
  opened.push(s3);
  const credentials = { accessKeyId: WRITER.accessKeyId, secretAccessKey: WRITER.secretAccessKey };
  const site = keep(
    new Site({ storages: [{ use: 's3', bucket: s3.bucket, endpoint: s3.endpoint, ...credentials }] }),
  );
  const hang = (): Promise<unknown> => {
    s3.requests.length = 0;
    s3.faults = [{ on, key, act: { hang: true } }];
    const arrived = () => s3.requests.some((request) => request.operation === on && key.test(request.key));
    return vi.waitUntil(arrived, { interval: 5, timeout: 10_000 });
  };
  return { s3, site, hang };
}
