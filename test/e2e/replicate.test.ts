import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument, recordedFrame } from '../stand-in/frames.ts';
import { Site, type SiteOptions } from './site.ts';
import { treacherousDocument } from './treacherous-document.ts';

const WAYS: readonly (readonly [string, SiteOptions])[] = [
  ['signed and encrypted', {}],
  ['signed, readable', { encryption: { use: 'none' } }],
  ['unsigned, readable', { encryption: { use: 'none' }, signed: false }],
];

describe.each(WAYS)('a directory, %s', (_way, options) => {
  let site: Site;
  let controlPlane: StandInControlPlane;

  beforeEach(async () => {
    site = new Site(options);
    controlPlane = await startStandInControlPlane({ certificate: site.certificate });
    site.pointAt(controlPlane.port);
  });

  afterEach(async () => {
    await controlPlane.close();
    site.remove();
  });

  const documents: readonly (readonly [string, () => Buffer])[] = [
    ['as a real control plane sent it', () => recordedDocument('mixed')],
    ['with values that look like a frame', treacherousDocument],
  ];

  it.each(documents)('gives a new node the document %s, byte for byte', async (_what, document) => {
    controlPlane.setFrame(encodeFrame(document()));
    const exported = await site.run(['export', '--once', '--json']);
    expect(exported.code, exported.stderr).toBe(0);
    await controlPlane.close();

    const bootstrapped = await site.run(['bootstrap', '--once', '--json']);
    expect(bootstrapped.code, bootstrapped.stderr).toBe(0);
    expect(bootstrapped.json()).toMatchObject({ origin: 'storage', store: 'file', gatewayVersion: '3.9.3' });
    expect(readFileSync(site.target).equals(document())).toBe(true);
    expect(statSync(site.target).mode & 0o777).toBe(0o640);
  });

  it('takes the cache when the store is gone as well', async () => {
    controlPlane.setFrame(recordedFrame('mixed'));
    await site.run(['export', '--once']);
    await controlPlane.close();
    await site.run(['bootstrap', '--once']);
    site.configure({ storages: [{ use: 'file', path: 'nowhere' }] });
    const again = await site.run(['bootstrap', '--once', '--json']);
    expect(again.json()).toMatchObject({ origin: 'cache', store: null });
    expect(again.code, again.stderr).toBe(0);
    expect(readFileSync(site.target).equals(recordedDocument('mixed'))).toBe(true);
  });

  it('leaves everything to a control plane that answers', async () => {
    controlPlane.setFrame(recordedFrame('mixed'));
    await site.run(['export', '--once']);
    const outcome = await site.run(['bootstrap', '--once', '--json']);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.json()).toMatchObject({ origin: 'control-plane' });
    expect(existsSync(site.target)).toBe(false);
  });
});
