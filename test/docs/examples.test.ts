import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { kongfallbackProblems } from './examples-containers.ts';
import { Manifests } from './examples-manifests.ts';
import { linkProblems } from './examples-pods.ts';
import { ROOT, read } from './repository.ts';

const EXAMPLES = ['relay-service', 'relay-sidecar', 'init-container'] as const;

async function problemsOf(folder: string): Promise<string[]> {
  const manifests = new Manifests(folder, read('examples/relay-service/README.md'));
  return [...manifests.problems, ...linkProblems(manifests), ...(await kongfallbackProblems(manifests))];
}

test.each(EXAMPLES)('examples/%s can be applied, and what it starts finds what it needs', async (name) => {
  expect(await problemsOf(join(ROOT, 'examples', name))).toEqual([]);
});

/** A mistake in a file of an example, and what is said of it. */
type Mistake = readonly [
  example: (typeof EXAMPLES)[number],
  file: string,
  right: string,
  wrong: string,
  said: RegExp,
];

const RELAY = ['relay-service', 'relay.yaml'] as const;
const SIDECAR = ['relay-sidecar', 'deployment.yaml'] as const;
const INIT = ['init-container', 'deployment.yaml'] as const;
const SETTINGS = ['relay-service', 'settings.yaml'] as const;

describe('a mistake is noticed:', () => {
  const mistakes: readonly Mistake[] = [
    [...RELAY, 'apiVersion: policy/v1', 'apiVersion: policy/v1beta1', /policy\/v1/],
    [...RELAY, 'kind: Deployment', 'kind: Deployments', /kind/],
    [...RELAY, 'runAsNonRoot:', 'runAsNonroot:', /runAsNonroot/],
    [...RELAY, '  replicas: 2\n', '  replicas: 2\n  replicas: 3\n', /unique/],
    [...RELAY, 'replicas: 2', 'replicas: 1', /no pod go/],
    [
      ...RELAY,
      'selector: { app: kong-relay }',
      'selector: { app: relay }',
      /Service kong-relay: selects no pod/,
    ],
    [...RELAY, 'labels: { app: kong-relay }', 'labels: { app: relay }', /does not select its own/],
    [...RELAY, 'targetPort: cluster', 'targetPort: clutser', /no container has a port clutser/],
    [
      ...RELAY,
      '[{ port: service }]',
      '[{ port: metrics }]',
      /NetworkPolicy.*no container has a port metrics/,
    ],
    [...RELAY, 'path: /health/ready, port: service', 'path: /health/ready, port: http', /a port http/],
    [...RELAY, 'path: /health/live', 'path: /health/ready', /not its own/],
    [...RELAY, 'containerPort: 8010', 'containerPort: 8011', /cannot be reached by the probes/],
    [...RELAY, 'terminationGracePeriodSeconds: 45', 'terminationGracePeriodSeconds: 30', /killed after 30/],
    [...RELAY, '      terminationGracePeriodSeconds: 45\n', '', /killed after 30/],
    [...RELAY, 'args: [relay]', 'args: [realy]', /no command/],
    [...RELAY, 'args: [relay]', 'args: [relay, --configuration, x]', /unknown option/],
    [...RELAY, '{ name: cache, mountPath', '{ name: cahce, mountPath', /no volume cahce/],
    [
      ...RELAY,
      'mountPath: /var/lib/kongfallback',
      'mountPath: /var/lib/kong',
      /cannot write to \/var\/lib\/kongfallback/,
    ],
    [...RELAY, '            - { name: tmp, mountPath: /tmp }\n', '', /cannot write to \/tmp|nobody mounts/],
    [
      ...RELAY,
      'config.yaml, subPath: settings.yaml',
      'config.yaml, subPath: config.yaml',
      /holds no config\.yaml/,
    ],
    [
      ...RELAY,
      '/etc/kongfallback/config.yaml',
      '/etc/kongfallback/settings.yaml',
      /no settings|not found|settings file/i,
    ],
    [
      ...RELAY,
      '/etc/kongfallback/config.yaml, subPath: settings.yaml',
      '/etc/kongfallback',
      /below \/etc\/kongfallback/,
    ],
    [...RELAY, 'secretName: kongfallback-keys', 'secretName: kongfallback', /nobody makes/],
    [...RELAY, 'kongfallback-keys, defaultMode: 0440', 'kongfallback-keys', /every user/],
    [...RELAY, 'kong-cluster-cert, defaultMode: 0440', 'kong-cluster-cert', /every user/],
    [...RELAY, 'configMap: { name: kong-relay }', 'configMap: { name: relay }', /nobody makes/],
    [...RELAY, 'mountPath: /etc/kong/cluster', 'mountPath: /etc/kong/tls', /\/etc\/kong\/cluster\/tls\.crt/],
    [...RELAY, 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', /root file system/],
    [...RELAY, '        runAsUser: 1000\n', '', /root/],
    [...RELAY, 'serviceAccountName: kong-relay', 'serviceAccountName: relay', /no service account/],
    [
      'relay-service',
      'kustomization.yaml',
      'files: [settings.yaml]',
      'files: [config.yaml]',
      /no config\.yaml/,
    ],
    [
      'relay-service',
      'kustomization.yaml',
      'resources: [relay.yaml]',
      'resources: [relays.yaml]',
      /does not list/,
    ],
    [...SETTINGS, 'drainSeconds: 30', 'drainSeconds: 60', /drains over 60/],
    [...SETTINGS, 'listen: 0.0.0.0:8005', 'listen: 127.0.0.1:8005', /as a service/],
    [...SETTINGS, 'listen: 0.0.0.0:8010', 'listen: 127.0.0.1:8010', /cannot be reached by the probes/],
    [...SETTINGS, 'form: service', 'from: service', /from/],
    [...SETTINGS, 'keys/head.pub', 'keys/head.key', /head\.key/],
    [...SETTINGS, 'cluster/tls.key', 'cluster/tls.crt', /key/],
    [...SETTINGS, 'signing:', '#signing:', /signing\.publicKeys is not set/],
    [...SIDECAR, 'value: "127.0.0.1:8005"', 'value: "127.0.0.1:8006"', /does not dial 127\.0\.0\.1:8005/],
    [...SIDECAR, 'image: kong:3.9.1', 'image: kong:3.9.2', /none of gatewayVersions/],
    [...SIDECAR, 'value: "off"', 'value: off', /expected string/],
    ['relay-sidecar', 'settings.yaml', 'listen: 127.0.0.1:8005', 'listen: 0.0.0.0:8005', /as a sidecar/],
    [...INIT, 'defaultMode: 0555', 'defaultMode: 0444', /may not be run/],
    [...INIT, 'args: [bootstrap, --init, /kongfallback]', 'args: [bootstrap, --init, /kong]', /\/kong/],
    [
      ...INIT,
      '- { name: prefix, mountPath: /var/kong }',
      '- { name: prefix, mountPath: /usr/local/kong }',
      /outlive/,
    ],
    [...INIT, '[/start/start-gateway.sh,', '[/start/start.sh,', /has no \/start\/start\.sh/],
    [...INIT, 'value: /etc/kong/cluster/tls.key', 'value: /etc/kong/tls.key', /KONG_CLUSTER_CERT_KEY/],
    [
      'init-container',
      'settings.yaml',
      '/kongfallback/cache',
      '/var/cache',
      /cannot write to \/var\/cache|ENOENT/,
    ],
  ];

  test.each(mistakes)('%s/%s: %j → %j', async (example, file, right, wrong, said) => {
    const folder = mkdtempSync(join(tmpdir(), 'kf-mistake-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    cpSync(join(ROOT, 'examples', example), folder, { recursive: true });
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text).toContain(right);
    writeFileSync(join(folder, file), text.replace(right, wrong));
    expect((await problemsOf(folder)).join('\n')).toMatch(said);
  });
});
