import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrokenSetUp, occupied } from './doctor-set-up.ts';

export const BROKEN_MACHINE: readonly BrokenSetUp[] = [
  {
    what: 'the cache cannot be made',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].cacheDirectory = 'cluster.crt/cache';
    },
    code: 'folder-unwritable',
    exit: 21,
  },
  {
    what: 'everybody may write to the cache',
    role: 'relay',
    breaking: ({ site }) => {
      mkdirSync(join(site.directory, 'relay-cache'));
      chmodSync(join(site.directory, 'relay-cache'), 0o777);
    },
    code: 'folder-open',
    exit: 21,
  },
  {
    what: 'the folder of the target is not there',
    role: 'node',
    breaking: ({ site }) => rmSync(join(site.directory, 'node'), { recursive: true }),
    code: 'folder-unwritable',
    exit: 22,
  },
  {
    what: 'there is no room for the document',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].cacheDirectory = '/proc/kongfallback';
    },
    code: 'disk-space-low',
    exit: 22,
  },
  {
    what: 'the port of the service is taken',
    role: 'exporter',
    breaking: async (setUp) => {
      setUp.settings['service'].listen = await occupied(setUp);
    },
    code: 'listen-in-use',
    exit: 22,
  },
  {
    what: 'the port of the relay is taken',
    role: 'relay',
    breaking: async (setUp) => {
      setUp.settings['relay'].listen = await occupied(setUp);
    },
    code: 'listen-in-use',
    exit: 22,
  },
  {
    what: 'the address of the relay is not of this machine',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['relay'].listen = '192.0.2.1:8005';
    },
    code: 'listen-impossible',
    exit: 22,
  },
  {
    what: 'the gateway version is not known',
    role: 'node',
    breaking: ({ env, settings }) => {
      env['PATH'] = '/nowhere';
      settings['gatewayVersions'] = ['3.9.3', '3.8.1'];
    },
    code: 'gateway-version-unknown',
    exit: 22,
  },
  {
    what: 'the gateway that is installed is another one',
    role: 'node',
    breaking: ({ env, settings, site }) => {
      const bin = join(site.directory, 'bin');
      mkdirSync(bin);
      writeFileSync(join(bin, 'kong'), '#!/bin/sh\necho 3.8.1\n', { mode: 0o755 });
      env['PATH'] = `${bin}:/usr/bin:/bin`;
      settings['bootstrap'].gatewayVersion = '3.9.3';
    },
    code: 'gateway-version-differs',
    exit: 21,
  },
  {
    what: 'the relay keeps no copy',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['gatewayVersions'] = [];
    },
    code: 'gateway-versions-unset',
    exit: 21,
  },
  {
    what: 'data planes beside the relay use incremental sync',
    role: 'relay',
    breaking: ({ env }) => {
      Object.assign(env, { KONG_CLUSTER_RPC: 'on', KONG_CLUSTER_INCREMENTAL_SYNC: 'on' });
    },
    code: 'incremental-sync-on',
    exit: 22,
  },
  {
    what: 'the node uses incremental sync, says kong.conf',
    role: 'node',
    breaking: ({ flags, settings, site }) => {
      site.write('kong.conf', 'role = data_plane\ncluster_rpc = on\ncluster_rpc_sync = on\n');
      flags.push('--kong-conf', 'kong.conf');
      settings['bootstrap'].kongPrefix = 'kong';
    },
    code: 'incremental-sync-on',
    exit: 21,
  },
  {
    what: 'the prefix of Kong is elsewhere',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].kongPrefix = 'elsewhere';
    },
    code: 'kong-prefix-missing',
    exit: 21,
  },
  {
    what: "the node's LMDB is not Kong's",
    role: 'node',
    breaking: ({ site }) => {
      mkdirSync(join(site.directory, 'kong', 'dbless.lmdb'));
      writeFileSync(join(site.directory, 'kong', 'dbless.lmdb', 'data.mdb'), 'not this');
    },
    code: 'KF_LMDB_UNEXPECTED',
    exit: 21,
  },
];
