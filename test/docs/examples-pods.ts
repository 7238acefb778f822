import { posix } from 'node:path';
import type { Container, Deployment, PodSpec, Volume } from './examples-kubernetes.ts';
import type { Manifests } from './examples-manifests.ts';

/** What is wrong between the parts of the manifests, though each by itself is well-formed. */
export function linkProblems(manifests: Manifests): string[] {
  return [
    ...manifests.deployments.flatMap((deployment) => podProblems(manifests, deployment)),
    ...manifests.objects.flatMap((object): string[] => {
      const name = `${object.kind} ${object.metadata.name}`;
      if (object.kind === 'Service') {
        const ports = object.spec.ports.map(({ targetPort }) => targetPort);
        return selected(manifests, name, object.spec.selector, ports);
      }
      if (object.kind === 'PodDisruptionBudget') {
        const { minAvailable, selector } = object.spec;
        const blocked = manifests.deployments
          .filter(({ spec }) => matches(selector.matchLabels, spec.template.metadata.labels))
          .filter(({ spec }) => spec.replicas <= minAvailable)
          .map(() => `${name}: lets no pod go, a node could never be drained`);
        return [...selected(manifests, name, selector.matchLabels, []), ...blocked];
      }
      if (object.kind !== 'NetworkPolicy') return [];
      const ports = object.spec.ingress.flatMap((rule) => rule.ports.map(({ port }) => port));
      return selected(manifests, name, object.spec.podSelector.matchLabels, ports);
    }),
  ];
}

type Labels = Readonly<Record<string, string>>;
const matches = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);
const containersOf = (spec: PodSpec): Container[] => [...spec.initContainers, ...spec.containers];

function selected(
  { deployments }: Manifests,
  name: string,
  selector: Labels,
  ports: readonly (string | number)[],
): string[] {
  const pods = deployments.filter(({ spec }) => matches(selector, spec.template.metadata.labels));
  if (pods.length === 0) return [`${name}: selects no pod`];
  const known = pods.flatMap(({ spec }) => containersOf(spec.template.spec)).flatMap(({ ports }) => ports);
  return ports
    .filter((port) => !known.some((one) => one.name === port || one.containerPort === port))
    .map((port) => `${name}: no container has a port ${port}`);
}

function podProblems(manifests: Manifests, { metadata, spec: { selector, template } }: Deployment): string[] {
  const { spec } = template;
  const problems: string[] = [];
  if (!matches(selector.matchLabels, template.metadata.labels)) problems.push('does not select its own pods');
  for (const { labelSelector } of spec.topologySpreadConstraints ?? []) {
    if (!matches(labelSelector.matchLabels, template.metadata.labels)) problems.push('spreads other pods');
  }
  if (!manifests.has('ServiceAccount', spec.serviceAccountName))
    problems.push(`there is no service account ${spec.serviceAccountName}`);
  if (spec.enableServiceLinks !== false)
    problems.push('every Service becomes a variable (enableServiceLinks)');
  const containers = containersOf(spec);
  for (const volume of spec.volumes) {
    if (!containers.some(({ volumeMounts }) => volumeMounts.some(({ name }) => name === volume.name)))
      problems.push(`nobody mounts the volume ${volume.name}`);
    if (filesOf(manifests, volume) === undefined)
      problems.push(`volume ${volume.name}: nobody makes what it holds`);
  }
  problems.push(...containers.flatMap((container) => containerProblems(manifests, spec, container)));
  return problems.map((problem) => `Deployment ${metadata.name}: ${problem}`);
}

/** Files in a volume; none for one that starts empty; undefined when its source, or a file in it, is nowhere made. */
export function filesOf(manifests: Manifests, volume: Volume): readonly string[] | undefined {
  if (volume.emptyDir !== undefined) return [];
  if (volume.secret !== undefined) return manifests.secrets.get(volume.secret.secretName);
  const { name = '', items } = volume.configMap ?? {};
  const files = manifests.configMaps.get(name);
  if (items === undefined || files === undefined) return files;
  return items.every(({ key }) => files.includes(key)) ? items.map(({ path }) => path) : undefined;
}

function containerProblems(manifests: Manifests, spec: PodSpec, container: Container): string[] {
  const problems: string[] = [];
  const mounts = container.volumeMounts.map((mount) => ({
    ...mount,
    volume: spec.volumes.find(({ name }) => name === mount.name),
  }));
  for (const { name, mountPath, subPath, volume } of mounts) {
    if (volume === undefined) {
      problems.push(`there is no volume ${name}`);
      continue;
    }
    if (subPath !== undefined && filesOf(manifests, volume)?.includes(subPath) !== true)
      problems.push(`the volume ${name} holds no ${subPath}`);
    const above = mounts.find(
      (one) =>
        one.subPath === undefined &&
        mountPath.startsWith(`${one.mountPath}/`) &&
        one.volume?.emptyDir === undefined,
    );
    // The folder to mount on cannot be made in a volume that is read-only.
    if (above !== undefined)
      problems.push(`${mountPath} is mounted below ${above.mountPath}, which is read-only`);
  }
  const paths = mounts.map(({ mountPath }) => posix.normalize(mountPath));
  if (new Set(paths).size < paths.length) problems.push('two volumes are mounted on one path');
  for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const port = container[kind]?.httpGet.port;
    if (port !== undefined && !container.ports.some((one) => one.name === port || one.containerPort === port))
      problems.push(`${kind} asks for a port ${port} that it does not have`);
  }
  return problems.map((problem) => `container ${container.name}: ${problem}`);
}
