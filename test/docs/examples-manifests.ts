import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import {
  type Deployment,
  type KubernetesObject,
  kubernetesObject,
  kustomization,
} from './examples-kubernetes.ts';

const KUSTOMIZATION = 'kustomization.yaml';
const SETTINGS = 'settings.yaml';

/** An example's folder, as `kubectl apply -k` would read it. */
export class Manifests {
  readonly folder: string;
  /** What cannot be applied as it stands. */
  readonly problems: string[] = [];
  readonly objects: KubernetesObject[] = [];
  /** Files by config map. */
  readonly configMaps = new Map<string, readonly string[]>();
  /** Files by secret, as the README has them made. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;

  /** @param readme where the secrets are made, which no manifest holds */
  constructor(folder: string, readme: string) {
    this.folder = folder;
    this.secrets = secretsOf(readme);
    const found = this.#parse(KUSTOMIZATION).flatMap((value) =>
      this.#checked(kustomization, value, KUSTOMIZATION),
    );
    const listed = found.flatMap(({ resources }) => resources);
    for (const { name, files } of found.flatMap(({ configMapGenerator }) => configMapGenerator)) {
      this.configMaps.set(name, files);
      for (const file of files) {
        if (!existsSync(join(folder, file))) this.problems.push(`${KUSTOMIZATION}: there is no ${file}`);
      }
    }
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
      if (file === SETTINGS || file === KUSTOMIZATION) continue;
      if (!listed.includes(file)) this.problems.push(`${KUSTOMIZATION} does not list ${file}`);
      for (const value of this.#parse(file))
        this.objects.push(...this.#checked(kubernetesObject, value, file));
    }
  }

  get deployments(): readonly Deployment[] {
    return this.objects.filter((object) => object.kind === 'Deployment');
  }

  has(kind: KubernetesObject['kind'], name: string | undefined): boolean {
    return this.objects.some((object) => object.kind === kind && object.metadata.name === name);
  }

  #parse(file: string): unknown[] {
    if (!existsSync(join(this.folder, file))) {
      this.problems.push(`there is no ${file}`);
      return [];
    }
    // As Kubernetes reads it: off is a boolean, and 0440 octal.
    const documents = parseAllDocuments(readFileSync(join(this.folder, file), 'utf8'), { version: '1.1' });
    return documents.flatMap((document) => {
      const said = [...document.errors, ...document.warnings];
      this.problems.push(...said.map(({ message }) => `${file}: ${message}`));
      return said.length === 0 ? [document.toJS() as unknown] : [];
    });
  }

  #checked<T>(schema: z.ZodType<T>, value: unknown, file: string): T[] {
    const { data, error } = schema.safeParse(value);
    if (error !== undefined) this.problems.push(`${file}: ${z.prettifyError(error)}`);
    return data === undefined ? [] : [data];
  }
}

/** `kubectl create secret` lines of a document: name → files in it. */
function secretsOf(readme: string): Map<string, readonly string[]> {
  const secrets = new Map<string, readonly string[]>();
  for (const [, type, name = '', rest = ''] of readme.matchAll(/create secret (tls|generic) (\S+)(.*)/g)) {
    const files = [...rest.matchAll(/--from-file=(\S+)/g)].map(([, file]) => file ?? '');
    secrets.set(name, type === 'tls' ? ['tls.crt', 'tls.key'] : files);
  }
  return secrets;
}
