import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { registerBootstrap } from '../../src/commands/bootstrap.ts';
import type { CommandIo } from '../../src/commands/command-io.ts';
import { registerRelay } from '../../src/commands/relay.ts';
import { InstalledPlugins } from '../../src/composition/plugin-catalogue.ts';
import { type LoadedSettings, loadSettings, parseSetFlags } from '../../src/config/index.ts';
import type { Container, PodSpec } from './examples-kubernetes.ts';
import { layOut } from './examples-layout.ts';
import type { Manifests } from './examples-manifests.ts';

const ROLES = { relay: 'relay', bootstrap: 'node' } as const;
const REGISTER = { relay: registerRelay, bootstrap: registerBootstrap } as const;

/** What `--init` sets. */
const INIT_TARGET = ['bootstrap.target.use=file', 'bootstrap.target.path=/kongfallback/kong.json'];

/** What is wrong with the containers that run kongfallback: their rights, their arguments, and the settings that they find. */
export async function kongfallbackProblems(manifests: Manifests): Promise<string[]> {
  const problems: string[] = [];
  for (const { metadata, spec } of manifests.deployments) {
    const pod = spec.template.spec;
    for (const container of [...pod.initContainers, ...pod.containers]) {
      if (container.image !== 'kongfallback') continue;
      const found = [
        ...rightsProblems(pod, container),
        ...(await commandProblems(container.args ?? [])),
        ...(await settingsProblems(manifests, pod, container)),
      ];
      problems.push(...found.map((problem) => `${metadata.name}: container ${container.name}: ${problem}`));
    }
  }
  return problems.length > 0 || manifests.deployments.length > 0 ? problems : ['nothing runs kongfallback'];
}

function rightsProblems(pod: PodSpec, { securityContext }: Container): string[] {
  const rights = { ...pod.securityContext, ...securityContext };
  return [
    ...(rights.runAsNonRoot === true && (rights.runAsUser ?? 0) > 0 ? [] : ['may run as root']),
    ...(rights.readOnlyRootFilesystem === true ? [] : ['may write to its root file system']),
    ...(rights.allowPrivilegeEscalation === false ? [] : ['may gain privileges']),
    ...(rights.capabilities?.drop.includes('ALL') === true ? [] : ['keeps capabilities']),
    ...(pod.securityContext.fsGroup === undefined ? ['cannot read secrets of mode 0440 (fsGroup)'] : []),
  ];
}

async function commandProblems(args: readonly string[]): Promise<string[]> {
  const name = args[0] as keyof typeof REGISTER;
  if (!Object.hasOwn(REGISTER, name)) return [`${name} is no command that an example runs`];
  const program = new Command().exitOverride().configureOutput({ outputError: () => {} });
  REGISTER[name](program, {} as CommandIo);
  const command = program.commands[0]?.exitOverride().action(() => {});
  return command === undefined
    ? [`${name} registers no command`]
    : program.parseAsync([...args], { from: 'user' }).then(
        () => [],
        (error: Error) => [error.message],
      );
}

async function settingsProblems(manifests: Manifests, pod: PodSpec, container: Container): Promise<string[]> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'kf-example-')));
  try {
    layOut(manifests, pod, container, root, (text) => text);
    const role = ROLES[(container.args?.[0] ?? '') as keyof typeof ROLES] ?? 'relay';
    const loaded = await loadSettings({
      role,
      cwd: join(root, 'nowhere'),
      env: {},
      flags: parseSetFlags(role === 'node' ? INIT_TARGET : []),
      catalogue: new InstalledPlugins(),
      etcDirectory: join(root, 'etc/kongfallback'),
    });
    return [
      ...loaded.warnings.map(({ message }) => message),
      ...(role === 'relay'
        ? relayProblems(pod, container, loaded, root)
        : nodeProblems(pod, container, loaded, root)),
      ...gatewayProblems(pod, loaded),
    ];
  } catch (error) {
    return [(error as Error).message];
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** As the container sees a path. */
const within = (root: string, path: string): string =>
  path.startsWith(root) ? path.slice(root.length) : path;
const portOf = (address: string): number => Number(address.split(':').at(-1));
const isLocal = (address: string): boolean => /^(127\.|localhost:|\[::1\])/.test(address);

function relayProblems(
  pod: PodSpec,
  container: Container,
  { settings }: LoadedSettings,
  root: string,
): string[] {
  const { listen = '', drainSeconds, cacheDirectory, form } = settings.relay;
  const { service } = settings;
  const problems = writableProblems(pod, container, within(root, cacheDirectory));
  const has = (port: number) => container.ports.some(({ containerPort }) => containerPort === port);
  const isSidecar = form === 'sidecar';
  if (isLocal(listen) !== isSidecar) problems.push(`listens on ${listen} as a ${form}`);
  if (!isSidecar && !has(portOf(listen))) problems.push(`relay.listen ${listen} is none of its ports`);
  if (isLocal(service.listen) || !has(portOf(service.listen)))
    problems.push(`service.listen ${service.listen} cannot be reached by the probes`);
  const probed = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  for (const { httpGet } of probed.filter((probe) => probe !== undefined)) {
    const asked = container.ports.find(({ name, containerPort }) =>
      [name, containerPort].includes(httpGet.port),
    );
    if (asked?.containerPort !== portOf(service.listen))
      problems.push(`a probe asks another port than ${service.listen}`);
    if (!/^\/health\/(live|ready)$/.test(httpGet.path)) problems.push(`a probe asks for ${httpGet.path}`);
  }
  if (container.livenessProbe?.httpGet.path !== '/health/live')
    problems.push('is restarted for what is not its own');
  if (pod.terminationGracePeriodSeconds < drainSeconds + 5)
    problems.push(`is killed after ${pod.terminationGracePeriodSeconds} s, and drains over ${drainSeconds}`);
  const { env } = pod.containers.find(({ image }) => image.startsWith('kong:')) ?? {};
  if (env?.some(({ name, value }) => name === 'KONG_CLUSTER_CONTROL_PLANE' && value !== listen))
    problems.push(`the gateway does not dial ${listen}`);
  return problems;
}

function nodeProblems(
  pod: PodSpec,
  container: Container,
  { settings }: LoadedSettings,
  root: string,
): string[] {
  const problems = writableProblems(pod, container, within(root, settings.bootstrap.cacheDirectory));
  const folder = container.args?.[container.args.indexOf('--init') + 1];
  const gateway = pod.containers.find(({ image }) => image.startsWith('kong:'));
  const [script = '', given] = gateway?.command ?? [];
  if (given !== folder) problems.push(`the gateway is told of ${given}, and ${folder} is written`);
  const mountOf = (one: Container | undefined, path: string | undefined) =>
    one?.volumeMounts.find(({ mountPath }) => mountPath === path)?.name;
  if (mountOf(container, folder) === undefined || mountOf(container, folder) !== mountOf(gateway, folder))
    problems.push(`${folder} is not the same folder to both containers`);
  const start = pod.volumes.find(({ name }) => name === mountOf(gateway, dirname(script)));
  if (start?.configMap?.items?.some(({ path }) => script.endsWith(`/${path}`)) !== true)
    problems.push(`the gateway has no ${script}`);
  if (((start?.configMap?.defaultMode ?? 0o644) & 0o555) !== 0o555) problems.push(`${script} may not be run`);
  const prefix = gateway?.env.find(({ name }) => name === 'KONG_PREFIX')?.value;
  const kept = pod.volumes.find(({ name }) => name === mountOf(gateway, prefix));
  if (kept?.emptyDir === undefined) problems.push('the prefix does not outlive the container');
  return problems;
}

function writableProblems(pod: PodSpec, container: Container, cacheDirectory: string): string[] {
  const writable = container.volumeMounts
    .filter(({ name, readOnly }) => !readOnly && pod.volumes.some((one) => one.name === name && one.emptyDir))
    .map(({ mountPath }) => mountPath);
  return [cacheDirectory, '/tmp']
    .filter((path) => !writable.some((mount) => path === mount || path.startsWith(`${mount}/`)))
    .map((path) => `cannot write to ${path}`);
}

/** Of the gateway beside it. */
function gatewayProblems(pod: PodSpec, { settings }: LoadedSettings): string[] {
  return pod.containers
    .filter(({ image }) => image.startsWith('kong:'))
    .flatMap(({ image, env, volumeMounts }) => [
      ...(settings.gatewayVersions.includes(image.slice('kong:'.length))
        ? []
        : [`${image} is none of gatewayVersions ${settings.gatewayVersions.join(', ')}`]),
      ...['KONG_CLUSTER_CERT', 'KONG_CLUSTER_CERT_KEY'].flatMap((name) => {
        const path = env.find((one) => one.name === name)?.value ?? '';
        const isMounted = volumeMounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`));
        return isMounted ? [] : [`${name} of the gateway is not mounted`];
      }),
    ]);
}
