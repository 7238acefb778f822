import { startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../stand-in/frames.ts';
import { Site, type SiteOptions } from './site.ts';

/** The recorded configuration of a real control plane, changed a little. */
export function documentNumber(n: number): Buffer {
  const table = JSON.parse(recordedDocument('mixed').toString()) as object;
  return Buffer.from(JSON.stringify({ ...table, tags: [`change-${n}`] }));
}

/** A site whose storage holds these documents, exported in this order, and whose control plane is down. */
export async function exported(options: SiteOptions, documents: readonly Buffer[]): Promise<Site> {
  const site = new Site(options);
  for (const document of documents) await exportTo(site, document);
  return site;
}

export async function exportTo(site: Site, document: Buffer): Promise<void> {
  const controlPlane = await startStandInControlPlane({
    certificate: site.certificate,
    frames: encodeFrame(document, { timestamp: Date.now() / 1000 }),
  });
  site.pointAt(controlPlane.port);
  // Exports follow each other faster here than any two changes that could not be told apart.
  const args = ['export', '--once', '--set', 'export.evidenceMarginSeconds=0'];
  const { code, stderr } = await site.run(args);
  await controlPlane.close();
  site.pointAt(1);
  if (code !== 0) throw new Error(stderr);
}
