import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { clusterCertificate } from '../stand-in/certificates.ts';
import type { BrokenSetUp } from './doctor-set-up.ts';

export const BROKEN_SETTINGS: readonly BrokenSetUp[] = [
  {
    what: 'the settings file is elsewhere',
    role: 'exporter',
    breaking: ({ flags }) => flags.push('--config', 'nowhere.yaml'),
    code: 'KF_SETTINGS_UNREADABLE',
    exit: 22,
  },
  {
    what: 'the settings are no YAML',
    role: 'exporter',
    breaking: ({ flags, site }) => {
      site.write('bad.yaml', 'cluster: [');
      flags.push('--config', 'bad.yaml');
    },
    code: 'KF_SETTINGS_SYNTAX',
    exit: 22,
  },
  {
    what: 'a setting is misspelt',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['relay'].tripSecond = 3;
    },
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'a secret comes from a variable that is not set',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['encryption'].keys = [`\${env:NOT_SET}`];
    },
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'the exporter has no gateway versions',
    role: 'exporter',
    breaking: ({ settings }) => {
      delete settings['gatewayVersions'];
    },
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'a storage plugin is not installed',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'].push({ use: 'floppy' });
    },
    code: 'KF_PLUGIN_NOT_FOUND',
    exit: 22,
  },
  {
    what: 'everybody may read the encryption key of an exporter',
    role: 'exporter',
    breaking: ({ site }) => chmodSync(join(site.directory, 'encryption.key'), 0o644),
    code: 'KF_SETTINGS_KEY_READABLE',
    exit: 22,
  },
  {
    what: 'everybody may read the cluster key of a node',
    role: 'node',
    breaking: ({ site }) => chmodSync(join(site.directory, 'cluster.key'), 0o644),
    code: 'KF_SETTINGS_KEY_READABLE',
    exit: 21,
  },
  {
    what: 'the cluster key is that of another certificate',
    role: 'exporter',
    breaking: ({ site }) => site.write('cluster.key', clusterCertificate().key),
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'nothing is signed',
    role: 'exporter',
    breaking: ({ settings }) => {
      delete settings['signing'];
    },
    code: 'KF_SETTINGS_UNSIGNED',
    exit: 21,
  },
  {
    what: 'a node believes whoever writes',
    role: 'node',
    breaking: ({ settings }) => {
      delete settings['signing'];
    },
    code: 'KF_SETTINGS_UNVERIFIED',
    exit: 21,
  },
  {
    what: 'the signing key is not the one that readers believe',
    role: 'exporter',
    breaking: ({ site }) => {
      const { publicKey } = generateKeyPairSync('ed25519');
      site.write('head.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    },
    code: 'signing-key-foreign',
    exit: 22,
  },
  {
    what: 'the signing key is an RSA key',
    role: 'exporter',
    breaking: ({ site }) => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      site.write('head.key', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    },
    code: 'KF_KEY_INVALID',
    exit: 22,
  },
  {
    what: 'the exporter has no public key',
    role: 'exporter',
    breaking: ({ settings }) => {
      delete settings['signing'].publicKeys;
    },
    code: 'signing-public-missing',
    exit: 21,
  },
  {
    what: 'a node holds the signing key',
    role: 'node',
    breaking: ({ site }) => site.write('head.key', site.signingKey),
    code: 'signing-key-at-reader',
    exit: 21,
  },
  {
    what: 'a relay has the signing key in its settings',
    role: 'relay',
    breaking: ({ settings, site }) => {
      settings['signing'].privateKey = site.signingKey;
    },
    code: 'signing-key-at-reader',
    exit: 21,
  },
  {
    what: 'a node holds another encryption key',
    role: 'node',
    breaking: ({ site }) => site.write('encryption.key', randomBytes(32).toString('base64')),
    code: 'drill-failed',
    exit: 22,
  },
  {
    what: 'a node believes another signing key',
    role: 'node',
    breaking: ({ site }) => {
      const { publicKey } = generateKeyPairSync('ed25519');
      site.write('head.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    },
    code: 'head-refused',
    exit: 22,
  },
];
