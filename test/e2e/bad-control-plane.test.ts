// A control plane that is away, broken, foreign or hostile: what export says of it, and that a new node starts from
// storage all the same, with that reason.
import { readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificatePair, clusterCertificate } from '../stand-in/certificates.ts';
import { type StandInOptions, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument, recordedFrame } from '../stand-in/frames.ts';
import { expectNoSecret, expectRefusal, type Refusal } from './refusal.ts';
import { Site } from './site.ts';

interface Case extends Refusal {
  readonly name: string;
  /** The cluster's, ours included. */
  readonly certificate?: CertificatePair;
  /** Undefined: nobody listens. */
  readonly controlPlane?: (site: Site) => Partial<StandInOptions>;
  /** Why bootstrap takes storage, where it is not the code of the export's error. */
  readonly reason?: string;
}

const CASES: readonly Case[] = [
  { name: 'down', exit: 10, code: 'KF_CP_REFUSED_CONNECTION', names: '127.0.0.1:1' },
  ...(
    [
      ['reset-tcp', { exit: 10, code: 'KF_CP_CONNECTION_LOST' }],
      ['hang-tcp', { exit: 10, code: 'KF_CP_TLS_TIMEOUT', hint: /load balancer/ }],
      ['not-tls', { exit: 10, code: 'KF_CP_TLS_FAILED', hint: /cluster_listen/ }],
      ['hang-tls', { exit: 10, code: 'KF_CP_UPGRADE_TIMEOUT' }],
      ['reset-tls', { exit: 11, code: 'KF_CP_CERTIFICATE_REFUSED', hint: /cluster_cert/ }],
      ['refuse', { exit: 11, code: 'KF_CP_REFUSED', hint: /gatewayVersions/ }],
      ['cut', { exit: 10, code: 'KF_CP_CONNECTION_LOST' }],
      ['text-frame', { exit: 2, code: 'KF_CP_TEXT_FRAME' }],
      ['not-websocket', { exit: 2, code: 'KF_CP_NOT_WEBSOCKET' }],
      ['stand-in', { exit: 10, code: 'KF_CP_STAND_IN', hint: /relay/ }],
    ] as const
  ).map(([behaviour, refusal]) => ({
    name: behaviour,
    controlPlane: () => ({ behaviour }),
    ...refusal,
  })),
  ...(
    [
      ['silent', { exit: 10, code: 'KF_CP_SILENT', hint: /plugin .*database/ }],
      ['hang-upgraded', { exit: 10, code: 'KF_CP_SILENT' }],
    ] as const
  ).map(([behaviour, refusal]) => ({
    name: behaviour,
    controlPlane: () => ({ behaviour }),
    ...refusal,
    reason: 'KF_CP_NO_CONFIGURATION',
  })),
  {
    name: 'a foreign certificate',
    controlPlane: () => ({ presented: clusterCertificate() }),
    ...{ exit: 11, code: 'KF_CP_FOREIGN_CERTIFICATE', hint: /Nothing was sent/ },
  },
  {
    name: 'another cluster certificate than ours',
    controlPlane: (site) => ({ certificate: clusterCertificate(), presented: site.certificate }),
    ...{ exit: 11, code: 'KF_CP_CERTIFICATE_REFUSED', hint: /cluster_cert/ },
  },
  {
    name: 'a certificate that has expired',
    certificate: clusterCertificate({ notAfter: new Date(Date.now() - 60_000) }),
    controlPlane: () => ({}),
    ...{ exit: 11, code: 'KF_CP_EXPIRED_CERTIFICATE', hint: /Renew/ },
  },
  ...(
    [
      [400, { exit: 11, code: 'KF_CP_BAD_REQUEST' }],
      [404, { exit: 2, code: 'KF_CP_NOT_HYBRID', hint: /cluster_listen/ }],
      [503, { exit: 10, code: 'KF_CP_HTTP_STATUS', names: '503' }],
    ] as const
  ).map(([status, refusal]) => ({ name: `status ${status}`, controlPlane: () => ({ status }), ...refusal })),
];

const LIMIT_BYTES = 16 * 1024 * 1024;

/** One with the hash of what is stored already would not be read to its end. */
function changedFrame(): Buffer {
  const table = JSON.parse(recordedDocument('mixed').toString()) as { tags?: string[] };
  return encodeFrame({ ...table, tags: ['changed'] });
}

/** What it sends is no configuration. A node's probe looks at the first bytes only: the gateway itself will refuse it. */
const FRAMES: readonly (Refusal & { readonly name: string; readonly frame: () => Buffer })[] = [
  {
    name: 'a frame that is no gzip',
    frame: () => Buffer.from('{"type":"reconfigure","config_table":{}}'),
    ...{ exit: 12, code: 'KF_FRAME_NOT_GZIP' },
  },
  {
    name: 'a frame that is cut',
    frame: () => changedFrame().subarray(0, 2000),
    ...{ exit: 12, code: 'KF_FRAME_DAMAGED' },
  },
  {
    name: 'a frame with a flipped byte',
    frame: () => {
      const frame = changedFrame();
      frame[2000] = (frame[2000] as number) ^ 1;
      return frame;
    },
    ...{ exit: 12, code: 'KF_FRAME_DAMAGED' },
  },
  {
    name: 'a frame without a configuration',
    frame: () => gzipSync('{"type":"reconfigure","timestamp":1795258925.626}'),
    ...{ exit: 12, code: 'KF_FRAME_NO_TABLE' },
  },
  {
    name: 'another message',
    frame: () => gzipSync('{"type":"purge","config_table":{}}'),
    ...{ exit: 2, code: 'KF_FRAME_TYPE', names: 'purge' },
  },
  {
    name: 'a frame that inflates without end',
    frame: () => gzipSync(Buffer.alloc(64 * 1024 * 1024)),
    ...{ exit: 2, code: 'KF_FRAME_EXPANDS_TOO_FAR', names: String(LIMIT_BYTES) },
  },
];

describe('a control plane', () => {
  let exported: Site;
  const options = {
    // Longer than the three seconds that a connection may take, so that each case has a reason of its own.
    bootstrap: { probeSeconds: 4 },
    settings: {
      source: { use: 'kong-hybrid', silenceSeconds: 1 },
      limits: { maxDocumentBytes: LIMIT_BYTES },
    },
  };

  beforeAll(async () => {
    exported = new Site(options);
    const controlPlane = await startStandInControlPlane({
      certificate: exported.certificate,
      frames: recordedFrame('mixed'),
    });
    exported.pointAt(controlPlane.port);
    const { code, stderr } = await exported.run(['export', '--once']);
    expect(code, stderr).toBe(0);
    await controlPlane.close();
  });
  afterAll(() => exported.remove());

  it.concurrent.each(CASES)('$name', async ({ certificate, controlPlane, reason, name: _, ...expected }) => {
    const site = exported.copy();
    site.write('cluster.crt', certificate?.certificate ?? site.certificate.certificate);
    site.write('cluster.key', certificate?.key ?? site.certificate.key);
    site.pointAt(1);
    const given = controlPlane?.(site);
    const standIn =
      given &&
      (await startStandInControlPlane({
        certificate: certificate ?? site.certificate,
        frames: recordedFrame('mixed'),
        ...given,
      }));
    try {
      if (standIn !== undefined) site.pointAt(standIn.port);
      await expectRefusal(site, ['export', '--once'], expected);
      const bootstrap = await site.run(['bootstrap', '--once', '--json']);
      expect(bootstrap.code, bootstrap.stderr).toBe(0);
      expect(bootstrap.json()).toMatchObject({ origin: 'storage', reason: reason ?? expected.code });
      expect(readFileSync(site.target).equals(recordedDocument('mixed'))).toBe(true);
      expectNoSecret(bootstrap, site.secrets);
    } finally {
      await standIn?.close();
      site.remove();
    }
  });

  it.concurrent.each(FRAMES)('$name', async ({ frame, name: _, ...expected }) => {
    const site = exported.copy();
    const standIn = await startStandInControlPlane({ certificate: site.certificate, frames: frame() });
    try {
      site.pointAt(standIn.port);
      await expectRefusal(site, ['export', '--once'], expected);
    } finally {
      await standIn.close();
      site.remove();
    }
  });

  it('that sends an empty configuration replaces nothing: exit 20, the finding says why', async () => {
    const site = exported.copy();
    const empty = encodeFrame(Buffer.from('{"_format_version":"3.0","_transform":false,"workspaces":[]}'), {
      timestamp: Date.now() / 1000,
    });
    const standIn = await startStandInControlPlane({ certificate: site.certificate, frames: empty });
    site.pointAt(standIn.port);
    const head = readFileSync(`${site.store}/3.9.3/head.json`);
    const refused = await site.run(['export', '--once']);
    expect(refused.code, refused.stderr).toBe(20);
    expect(refused.stdout).toMatch(/REFUSED/);
    expect(refused.stdout).toMatch(/error: .*\[.+\]\n {4}hint: /);
    expect(readFileSync(`${site.store}/3.9.3/head.json`).equals(head)).toBe(true);
    await standIn.close();
    rmSync(site.target, { force: true });
    const bootstrap = await site.run(['bootstrap', '--once', '--json']);
    expect(bootstrap.json()).toMatchObject({ origin: 'storage' });
    expect(readFileSync(site.target).equals(recordedDocument('mixed'))).toBe(true);
    site.remove();
  });
});
