import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CertificatePair, clusterCertificate } from '../stand-in/certificates.ts';
import type { Container, PodSpec } from './examples-kubernetes.ts';
import type { Manifests } from './examples-manifests.ts';
import { filesOf } from './examples-pods.ts';

/** Of a file of a config map or a secret, by Kubernetes' own default. */
const USUAL_MODE = 0o644;

/**
 * The container's file system, as far as its mounts make it, below a root; paths in the settings are moved there.
 *
 * @param changed of what the config maps hold, afterwards
 */
export function layOut(
  manifests: Manifests,
  pod: PodSpec,
  { volumeMounts }: Container,
  root: string,
  changed: (text: string) => string,
): CertificatePair {
  const places = volumeMounts.map(({ mountPath }) => mountPath.replaceAll('.', '\\.')).join('|');
  const paths = new RegExp(`(?<![\\w./-])(${places})(?=[/\\s"}]|$)`, 'g');
  const pair = clusterCertificate();
  const contents: Readonly<Record<string, string>> = {
    'tls.crt': pair.certificate,
    'tls.key': pair.key,
    'encryption.key': randomBytes(32).toString('base64'),
    'head.pub': generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
  for (const { name, mountPath, subPath } of volumeMounts) {
    const volume = pod.volumes.find((one) => one.name === name);
    if (volume === undefined) continue;
    if (volume.emptyDir !== undefined) mkdirSync(join(root, mountPath), { recursive: true });
    for (const file of filesOf(manifests, volume) ?? []) {
      if (subPath !== undefined && file !== subPath) continue;
      const place = join(root, mountPath, subPath === undefined ? file : '');
      mkdirSync(dirname(place), { recursive: true });
      const source = join(manifests.folder, file);
      const text =
        contents[file] ?? changed(readFileSync(source, 'utf8').replaceAll(paths, (path) => join(root, path)));
      writeFileSync(place, text);
      chmodSync(place, volume.secret?.defaultMode ?? volume.configMap?.defaultMode ?? USUAL_MODE);
    }
  }
  return pair;
}
