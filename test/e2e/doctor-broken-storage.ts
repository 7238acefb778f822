import { expect } from 'vitest';
import { WRITER } from '../s3/double.ts';
import { ago, writeHead } from '../unit/commands/command-run.ts';
import type { BrokenSetUp, SetUp, World } from './doctor-set-up.ts';
import { lifecycleServer } from './lifecycle-server.ts';

const bucket =
  (options: Parameters<World['copyOfBucket']>[0], fault?: World['double']['faults'][number]) =>
  async ({ opened, settings }: SetUp, world: World) => {
    const double = await world.copyOfBucket(options);
    if (fault !== undefined) double.faults = [fault];
    opened.push(() => double.close());
    settings['storages'][0].endpoint = double.endpoint;
  };

/** A directory in place of the bucket, with a head of so many minutes ago. */
const headOf = (minutes: number) => (setUp: SetUp) => {
  setUp.settings['storages'] = [{ use: 'file', path: 'store' }];
  writeHead(setUp.site, { aliveAt: ago(minutes), confirmedAt: ago(minutes) });
};

const denied = { status: 403, code: 'AccessDenied' };

export const BROKEN_STORAGE: readonly BrokenSetUp[] = [
  {
    what: 'the storage is away, for an exporter',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['storages'][0].endpoint = 'http://127.0.0.1:1';
    },
    code: 'storage-put-fails',
    exit: 22,
  },
  {
    what: 'the storage is away, for a node',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'][0].endpoint = 'http://127.0.0.1:1';
    },
    code: 'head-unreadable',
    exit: 22,
  },
  {
    what: 'the storage is not to be found',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'].push({ ...settings['storages'][0], id: 'dr', endpoint: 'http://s3.invalid' });
    },
    code: 'name-unknown',
    exit: 22,
  },
  {
    what: 'the bucket does not exist',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['storages'][0].bucket = 'another';
    },
    code: 'nothing-to-restore',
    exit: 22,
  },
  {
    what: 'the exporter has the rights of a reader',
    role: 'exporter',
    breaking: ({ settings }, { double }) => {
      Object.assign(settings['storages'][0], { accessKeyId: 'READER', secretAccessKey: 'reader-secret' });
      expect(double.objects.size).toBe(2);
    },
    code: 'storage-put-fails',
    exit: 22,
  },
  {
    what: 'the exporter may not list',
    role: 'exporter',
    breaking: bucket({}, { on: 'list', act: denied }),
    code: 'storage-list-fails',
    exit: 22,
  },
  {
    what: 'the exporter may not delete',
    role: 'exporter',
    breaking: bucket({}, { on: 'delete', act: denied }),
    code: 'storage-delete-fails',
    exit: 21,
  },
  {
    what: 'the exporter may not read what it wrote',
    role: 'exporter',
    breaking: bucket({}, { on: 'get', key: /probe/, act: denied }),
    code: 'storage-get-fails',
    exit: 22,
  },
  {
    what: 'the storage ignores conditions',
    role: 'exporter',
    breaking: bucket({ ignoreConditions: true }),
    code: 'storage-not-conditional',
    exit: 22,
  },
  {
    what: 'the storage takes conditions the wrong way round',
    role: 'exporter',
    breaking: bucket({ invertConditions: true }),
    code: 'storage-not-conditional',
    exit: 22,
  },
  {
    what: 'the storage accepts requests and says nothing',
    role: 'node',
    breaking: async (setUp, world) => {
      await bucket({}, { on: 'get', act: { hang: true } })(setUp, world);
      setUp.settings['storages'][0].requestTimeoutSeconds = 0.1;
    },
    code: 'head-unreadable',
    exit: 22,
  },
  {
    what: 'a node may write to the bucket',
    role: 'node',
    breaking: ({ settings }) => {
      Object.assign(settings['storages'][0], WRITER);
    },
    code: 's3/writable-by-reader',
    exit: 21,
  },
  {
    what: 'a relay may write to the directory',
    role: 'relay',
    breaking: headOf(0),
    code: 'file/writable-by-reader',
    exit: 22,
  },
  {
    what: 'a lifecycle rule deletes what is old',
    role: 'exporter',
    breaking: async ({ opened, settings }, { double }) => {
      const server = await lifecycleServer(
        double,
        '<Filter><Prefix></Prefix></Filter><Expiration><Days>30</Days></Expiration>',
      );
      opened.push(() => server.close());
      settings['storages'][0].endpoint = server.endpoint;
    },
    code: 's3/lifecycle-deletes',
    exit: 22,
  },
  {
    what: 'the prefix is another one than the exporter has',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'][0].prefix = 'production';
    },
    code: 'nothing-to-restore',
    exit: 22,
  },
  {
    what: 'nothing was exported yet, for the exporter',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['storages'][0].prefix = 'new';
    },
    code: 'nothing-to-restore',
    exit: 21,
  },
  {
    what: 'no snapshot for the version of this node',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].gatewayVersion = '3.8.1';
    },
    code: 'nothing-to-restore',
    exit: 22,
  },
  {
    what: 'the exporter has not written for hours',
    role: 'node',
    breaking: headOf(200),
    code: 'exporter-silent',
    exit: 22,
  },
  {
    what: 'the head is older than this node takes',
    role: 'node',
    breaking: (setUp) => {
      headOf(5)(setUp);
      setUp.settings['bootstrap'].maxAgeSeconds = 60;
    },
    code: 'snapshot-too-old',
    exit: 22,
  },
  {
    what: 'the snapshot is gone',
    role: 'relay',
    breaking: bucket({}, { on: 'get', key: /snapshots/, act: { status: 404, code: 'NoSuchKey' } }),
    code: 'drill-failed',
    exit: 22,
  },
];
