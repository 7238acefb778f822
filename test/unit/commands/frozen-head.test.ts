// A head that nobody writes any more: an alarm by `aliveAt`, and refused only beyond the operator's own limit.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Signer, Trust } from '../../../src/snapshot/keys.ts';
import { encodeSignedHead, openSignedHead } from '../../../src/snapshot/signed-head.ts';
import { documentNumber, frameOf } from '../../e2e/exported.ts';
import { Site } from '../../e2e/site.ts';
import { startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { ago, run } from './command-run.ts';

let site: Site;

beforeEach(async () => {
  site = new Site();
  const controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  site.pointAt(controlPlane.port);
  controlPlane.setFrame(frameOf(documentNumber(1), 60));
  expect((await run(['export', '--once'], site.directory)).code).toBe(0);
  await controlPlane.close();
  site.pointAt(1);
  const path = join(site.store, '3.9.3', 'head.json');
  const line = { cluster: 'e2e', gatewayVersion: '3.9.3' };
  const trust = new Trust([readFileSync(join(site.directory, 'head.pub'), 'utf8')]);
  const { head } = openSignedHead(readFileSync(path), line, trust, path);
  const frozen = { ...head, aliveAt: ago(120), confirmedAt: ago(120) };
  writeFileSync(path, encodeSignedHead(frozen, [new Signer(site.signingKey, 'signing.privateKey')]));
});
afterEach(() => site.remove());

const bootstrap = (maxAgeSeconds?: number) =>
  run(
    [
      'bootstrap',
      '--once',
      ...(maxAgeSeconds === undefined ? [] : ['--set', `bootstrap.maxAgeSeconds=${maxAgeSeconds}`]),
    ],
    site.directory,
  );

it('is an alarm', async () => {
  const { code, json } = await run(['status', '--json'], site.directory);
  expect(code).toBe(21);
  expect(json()).toMatchObject({ findings: [{ code: 'exporter-silent' }] });
});

it('is taken without a limit, and within it', async () => {
  expect((await bootstrap()).stdout).toContain('origin: storage');
  expect((await bootstrap(7500)).stdout).toContain('origin: storage');
});

it('is refused beyond it', async () => {
  const { code, stdout, stderr } = await bootstrap(7000);
  expect(`${stdout}${stderr}`).toContain('KF_HEAD_STALE');
  expect(code).not.toBe(0);
});
