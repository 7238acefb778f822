import { startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../stand-in/frames.ts';
import { Site, type SiteOptions } from './site.ts';

/** The recorded configuration of a real control plane, changed a little. */
export function documentNumber(n: number): Buffer {
  const table = JSON.parse(recordedDocument('mixed').toString()) as object;
  return Buffer.from(JSON.stringify({ ...table, tags: [`change-${n}`] }));
}

/**
 * A frame that this control plane exported some time ago. Ages apart by more than `export.evidenceMarginSeconds` let one
 * export follow another at once, where otherwise nobody could tell which one is newer.
 */
export function frameOf(document: Buffer, ageSeconds: number): Buffer {
  return encodeFrame(document, { timestamp: Date.now() / 1000 - ageSeconds });
}

/** A site whose storage holds these documents, exported in this order, and whose control plane is down. */
export async function exported(options: SiteOptions, documents: readonly Buffer[]): Promise<Site> {
  const site = new Site(options);
  const controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  site.pointAt(controlPlane.port);
  for (const [index, document] of documents.entries()) {
    controlPlane.setFrame(frameOf(document, 60 * (documents.length - index)));
    const { code, stderr } = await site.run(['export', '--once']);
    if (code !== 0) throw new Error(stderr);
  }
  await controlPlane.close();
  site.pointAt(1);
  return site;
}
