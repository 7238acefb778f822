import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InstalledPlugins } from '../../../src/composition/plugin-catalogue.ts';
import { type LoadedSettings, type LoadSettingsOptions, loadSettings } from '../../../src/config/index.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { folderWith } from './folder.ts';

export const { certificate, key } = clusterCertificate();

/** What every start by Kong's names needs: a control plane, and certificates in the folder. */
export const CLUSTER = {
  KONG_CLUSTER_CONTROL_PLANE: 'cp.internal:8005',
  KONG_CLUSTER_CERT: 'cluster.crt',
  KONG_CLUSTER_CERT_KEY: 'cluster.key',
};
export const STORAGE = { KONG_CLUSTER_FALLBACK_CONFIG_STORAGE: 's3://kong-fallback/production' };

export const fixture = (name: string): string => readFileSync(`test/fixtures/kong-conf/${name}`, 'utf8');

export interface KongStart extends Partial<LoadSettingsOptions> {
  /** Text of the kong.conf that is named; undefined names none. */
  readonly conf?: string | undefined;
  readonly files?: Readonly<Record<string, string>>;
}

/** Loads as on a machine that has these files, variables and flags, and no others; Kong 3.9.1 is installed. */
export function kongLoad({ conf, files = {}, env = {}, ...more }: KongStart): Promise<LoadedSettings> {
  const cwd = folderWith({
    'cluster.crt': certificate,
    'cluster.key': key,
    'ca.crt': certificate,
    ...(conf !== undefined && { 'kong.conf': conf }),
    ...files,
  });
  return loadSettings({
    role: 'exporter',
    cwd,
    env,
    catalogue: new InstalledPlugins(),
    etcDirectory: join(cwd, 'etc'),
    kongVersion: async () => '3.9.1',
    ...(conf !== undefined && { kongConf: 'kong.conf' }),
    ...more,
  });
}

/** Value and origin by path. */
export const rowsOf = async (loading: Promise<LoadedSettings>): Promise<Record<string, [unknown, string]>> =>
  Object.fromEntries((await loading).rows.map(({ path, value, origin }) => [path, [value, origin]]));

export const warningsOf = async (loading: Promise<LoadedSettings>): Promise<string[]> =>
  (await loading).warnings.map(({ code }) => code);

/** Lines of the one error, without the heading. */
export async function problemsOf(loading: Promise<LoadedSettings>): Promise<string[]> {
  const error = await loading.then(
    () => new Error('loaded'),
    (thrown: Error & { code?: string }) => thrown,
  );
  if ((error as { code?: string }).code !== 'KF_SETTINGS_INVALID') throw error;
  return error.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}
