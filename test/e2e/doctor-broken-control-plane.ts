import { clusterCertificate } from '../stand-in/certificates.ts';
import type { StandInOptions } from '../stand-in/control-plane.ts';
import type { BrokenSetUp, SetUp, World } from './doctor-set-up.ts';

const DAY_MS = 86_400_000;

const controlPlane =
  (options: Partial<StandInOptions>) =>
  async ({ opened, settings }: SetUp, world: World) => {
    const other = await world.controlPlane(options);
    opened.push(() => other.close());
    settings['controlPlane'].address = `127.0.0.1:${other.port}`;
  };

const bucket =
  (options: Parameters<World['copyOfBucket']>[0], fault?: World['double']['faults'][number]) =>
  async ({ opened, settings }: SetUp, world: World) => {
    const double = await world.copyOfBucket(options);
    if (fault !== undefined) double.faults = [fault];
    opened.push(() => double.close());
    settings['storages'][0].endpoint = double.endpoint;
  };

const certificate =
  (options: Parameters<typeof clusterCertificate>[0]) =>
  async ({ opened, settings, site }: SetUp, world: World) => {
    const pair = clusterCertificate(options);
    site.write('cluster.crt', pair.certificate);
    site.write('cluster.key', pair.key);
    const other = await world.controlPlane({ certificate: pair });
    opened.push(() => other.close());
    settings['controlPlane'].address = `127.0.0.1:${other.port}`;
  };

export const BROKEN_CONTROL_PLANE: readonly BrokenSetUp[] = [
  {
    what: 'the cluster certificate has expired',
    role: 'relay',
    breaking: certificate({
      notBefore: new Date(Date.now() - 9 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    }),
    code: 'certificate-expired',
    exit: 22,
  },
  {
    what: 'the cluster certificate expires next week',
    role: 'node',
    breaking: certificate({ notAfter: new Date(Date.now() + 7 * DAY_MS) }),
    code: 'certificate-expires',
    exit: 21,
  },
  {
    what: 'the cluster certificate is of tomorrow',
    role: 'exporter',
    breaking: certificate({
      notBefore: new Date(Date.now() + DAY_MS),
      notAfter: new Date(Date.now() + 99 * DAY_MS),
    }),
    code: 'certificate-not-yet-valid',
    exit: 22,
  },
  {
    what: 'the cluster certificate has another name',
    role: 'relay',
    breaking: certificate({ commonName: 'admin.example.com' }),
    code: 'certificate-name',
    exit: 21,
  },
  {
    what: 'the control plane is away, for an exporter',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = '127.0.0.1:1';
    },
    code: 'KF_CP_REFUSED_CONNECTION',
    exit: 22,
  },
  {
    what: 'the control plane is away, for a node',
    role: 'node',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = '127.0.0.1:1';
    },
    code: 'KF_CP_REFUSED_CONNECTION',
    exit: 21,
  },
  {
    what: 'one of two addresses of the control plane is away',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = ['127.0.0.1:1', settings['controlPlane'].address];
    },
    code: 'KF_CP_REFUSED_CONNECTION',
    exit: 21,
  },
  {
    what: 'the control plane is not to be found',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = 'cp.invalid:8005';
    },
    code: 'name-unknown',
    exit: 22,
  },
  {
    what: 'the address is that of another cluster',
    role: 'relay',
    breaking: controlPlane({ presented: clusterCertificate() }),
    code: 'KF_CP_FOREIGN_CERTIFICATE',
    exit: 22,
  },
  {
    what: 'the address is no TLS port',
    role: 'exporter',
    breaking: controlPlane({ behaviour: 'not-tls' }),
    code: 'KF_CP_TLS_FAILED',
    exit: 22,
  },
  {
    what: 'the control plane will not have us',
    role: 'relay',
    breaking: controlPlane({ behaviour: 'bad-request' }),
    code: 'KF_CP_BAD_REQUEST',
    exit: 22,
  },
  {
    what: 'the address is that of a relay which stands in',
    role: 'exporter',
    breaking: controlPlane({ behaviour: 'stand-in' }),
    code: 'KF_CP_STAND_IN',
    exit: 22,
  },
  {
    what: 'the control plane is older than a gateway',
    role: 'exporter',
    breaking: async (setUp, world) => {
      await controlPlane({ version: '3.8.1' })(setUp, world);
    },
    code: 'KF_CP_REFUSED',
    exit: 22,
  },
  {
    what: 'a plugin is missing from the list, and the control plane is silent',
    role: 'node',
    breaking: controlPlane({ configuredPlugins: ['our-own-plugin'] }),
    code: 'KF_CP_NO_CONFIGURATION',
    exit: 21,
  },
  {
    what: "the control plane's clock is 10 s off",
    role: 'exporter',
    breaking: (setUp, world) =>
      controlPlane({ date: new Date(Date.now() + 10_000).toUTCString() })(setUp, world),
    code: 'clock-off',
    exit: 21,
  },
  {
    what: "the control plane's clock is 5 min off",
    role: 'relay',
    breaking: (setUp, world) =>
      controlPlane({ date: new Date(Date.now() - 300_000).toUTCString() })(setUp, world),
    code: 'clock-wrong',
    exit: 22,
  },
  {
    what: "the storage's clock is 30 s off",
    role: 'node',
    breaking: bucket({ clockOffsetMs: 30_000 }),
    code: 'clock-off',
    exit: 21,
  },
];
