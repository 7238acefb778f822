// The whole way through a real S3 server, on the built command line.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectNoSecret, expectRefusal } from '../e2e/refusal.ts';
import { Site } from '../e2e/site.ts';
import { treacherousDocument } from '../e2e/treacherous-document.ts';
import { findVersitygw, type S3Credentials, Versitygw } from '../s3/versitygw.ts';
import { startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../stand-in/frames.ts';

const binary = findVersitygw();

describe.skipIf(binary === undefined)('through versitygw', () => {
  let server: Versitygw;
  let exporter: Site;
  let reader: Site;

  beforeAll(async () => {
    server = await Versitygw.start(binary ?? '');
  });
  afterAll(() => server?.stop());

  beforeEach(async () => {
    const bucket = await server.createBucket();
    const storage = (credentials: S3Credentials) => ({
      storages: [{ use: 's3', bucket, endpoint: server.endpoint, prefix: 'production', ...credentials }],
    });
    exporter = new Site(storage(server.root));
    reader = exporter.copy(storage(await server.createReader(bucket)));
    return () => {
      exporter.remove();
      reader.remove();
    };
  });

  /** Exports from a control plane that is gone afterwards. */
  async function exportOnce(frame: Buffer): Promise<void> {
    const controlPlane = await startStandInControlPlane({
      certificate: exporter.certificate,
      frames: frame,
    });
    exporter.pointAt(controlPlane.port);
    const result = await exporter.run(['export', '--once', '--json']);
    await controlPlane.close();
    reader.pointAt(1);
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ lines: [{ outcome: 'published' }] });
    expectNoSecret(result, exporter.secrets);
  }

  it.each([
    ['as a real control plane sent it', () => recordedDocument('mixed')],
    ['with values that look like a frame', treacherousDocument],
  ])('a reader with s3:GetObject only gets the document %s, byte for byte', async (_, document) => {
    await exportOnce(encodeFrame(document()));
    const result = await reader.run(['bootstrap', '--once', '--json']);
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ origin: 'storage', requests: { heads: 1, snapshots: 1 } });
    expect(readFileSync(reader.target).equals(document())).toBe(true);
    expectNoSecret(result, reader.secrets);
  });

  it('a reader cannot export, and is told which right is missing', async () => {
    const controlPlane = await startStandInControlPlane({
      certificate: reader.certificate,
      frames: encodeFrame(recordedDocument('mixed')),
    });
    reader.pointAt(controlPlane.port);
    await expectRefusal(reader, ['export', '--once'], { exit: 11, code: 'KF_STORAGE_DENIED' });
    await controlPlane.close();
  });

  it('a store without a snapshot says so', async () => {
    exporter.pointAt(1);
    await expectRefusal(exporter, ['bootstrap', '--once'], {
      exit: 10,
      code: 'KF_RESTORE_FAILED',
      names: /KF_HEAD_MISSING/,
      hint: /prefix/,
    });
  });
});
