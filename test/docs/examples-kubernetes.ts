import * as z from 'zod';

// The objects of Kubernetes that the examples are made of, as far as they use them. Strict: a misspelt field is refused
// here, as `kubectl apply --validate=strict` would; a field that is new to the examples is added here with them.

const dnsName = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const portName = z.string().regex(/^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/, 'is no name of a port');
const portNumber = z.int().min(1).max(65_535);
const labels = z.record(z.string(), z.string());
const selector = z.strictObject({ matchLabels: labels });
const metadata = z.strictObject({
  name: dnsName,
  labels: labels.optional(),
  annotations: labels.optional(),
});
const whole = z.int().min(0);
/** Permission bits: written as 0440, which YAML 1.1 reads as octal. */
const mode = z.int().min(0).max(0o777).optional();

const securityContext = z.strictObject({
  runAsNonRoot: z.boolean().optional(),
  runAsUser: whole.optional(),
  runAsGroup: whole.optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  capabilities: z.strictObject({ drop: z.array(z.string()) }).optional(),
});

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port: z.union([portName, portNumber]) }),
  periodSeconds: whole.optional(),
  timeoutSeconds: whole.optional(),
  failureThreshold: whole.optional(),
});

const quantity = z.string().regex(/^\d+(m|Ki|Mi|Gi)?$/);
const amounts = z.record(z.enum(['cpu', 'memory']), quantity.optional());

const container = z.strictObject({
  name: dnsName,
  image: z.string(),
  restartPolicy: z.literal('Always').optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  // A value that is not quoted may be no string: off is false.
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).default([]),
  ports: z.array(z.strictObject({ name: portName, containerPort: portNumber })).default([]),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: z.strictObject({ requests: amounts, limits: amounts }).partial().optional(),
  securityContext: securityContext.default({}),
  volumeMounts: z
    .array(
      z.strictObject({
        name: dnsName,
        mountPath: z.string().startsWith('/'),
        subPath: z.string().optional(),
        readOnly: z.boolean().default(false),
      }),
    )
    .default([]),
});

const items = z.array(z.strictObject({ key: z.string(), path: z.string() })).optional();
const volume = z.strictObject({
  name: dnsName,
  configMap: z.strictObject({ name: dnsName, defaultMode: mode, items }).optional(),
  secret: z.strictObject({ secretName: dnsName, defaultMode: mode }).optional(),
  emptyDir: z
    .strictObject({ medium: z.literal('Memory').optional(), sizeLimit: quantity.optional() })
    .optional(),
});

const podSpec = z.strictObject({
  serviceAccountName: dnsName.optional(),
  automountServiceAccountToken: z.boolean().optional(),
  enableServiceLinks: z.boolean().optional(),
  /** Kubernetes' default. */
  terminationGracePeriodSeconds: whole.default(30),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: z.int().min(1),
        topologyKey: z.string(),
        whenUnsatisfiable: z.enum(['ScheduleAnyway', 'DoNotSchedule']),
        labelSelector: selector,
      }),
    )
    .optional(),
  securityContext: z
    .strictObject({
      runAsNonRoot: z.boolean(),
      runAsUser: whole,
      runAsGroup: whole,
      fsGroup: whole,
      seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
    })
    .partial()
    .default({}),
  initContainers: z.array(container).default([]),
  containers: z.array(container).min(1),
  volumes: z.array(volume).default([]),
});

const port = z.union([portName, portNumber]);

export const kubernetesObject = z.discriminatedUnion('kind', [
  z.strictObject({ apiVersion: z.literal('v1'), kind: z.literal('ServiceAccount'), metadata }),
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Service'),
    metadata,
    spec: z.strictObject({
      selector: labels,
      ports: z.array(z.strictObject({ name: portName, port: portNumber, targetPort: port })).min(1),
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('apps/v1'),
    kind: z.literal('Deployment'),
    metadata,
    spec: z.strictObject({
      replicas: whole,
      selector,
      strategy: z
        .strictObject({ rollingUpdate: z.strictObject({ maxUnavailable: whole, maxSurge: whole }) })
        .optional(),
      template: z.strictObject({ metadata: z.strictObject({ labels }), spec: podSpec }),
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('policy/v1'),
    kind: z.literal('PodDisruptionBudget'),
    metadata,
    spec: z.strictObject({ minAvailable: whole, selector }),
  }),
  z.strictObject({
    apiVersion: z.literal('networking.k8s.io/v1'),
    kind: z.literal('NetworkPolicy'),
    metadata,
    spec: z.strictObject({
      podSelector: selector,
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
      ingress: z.array(
        z.strictObject({
          ports: z.array(z.strictObject({ port })),
          from: z.array(z.strictObject({ namespaceSelector: selector })).optional(),
        }),
      ),
    }),
  }),
]);

export const kustomization = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  namespace: dnsName,
  resources: z.array(z.string()).min(1),
  configMapGenerator: z.array(z.strictObject({ name: dnsName, files: z.array(z.string()).min(1) })),
});

export type KubernetesObject = z.output<typeof kubernetesObject>;
export type Deployment = Extract<KubernetesObject, { kind: 'Deployment' }>;
export type PodSpec = z.output<typeof podSpec>;
export type Container = z.output<typeof container>;
export type Volume = z.output<typeof volume>;
