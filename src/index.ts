// The embedding API: an exporter, a bootstrap or a relay inside another program. No signal handlers, no global state; whoever
// creates a service closes it.
import { bootstrapParts } from './composition/bootstrap.ts';
import { Bootstrapper } from './composition/bootstrapper.ts';
import { Exporter, exporterParts } from './composition/exporter.ts';
import { override, type PartOverrides } from './composition/overrides.ts';
import { InstalledPlugins } from './composition/plugin-catalogue.ts';
import { relayParts } from './composition/relay.ts';
import { type RelayOptions, RelayService } from './composition/relay-service.ts';
import { type LoadedSettings, type LoadSettingsOptions, loadSettings as load } from './config/index.ts';
import { Redactor, silentLogger } from './observe/index.ts';
import type { Logger } from './plugin/plugin.ts';

export type { BootstrapOutcome, Origin } from './bootstrap/outcome.ts';
export type { Bootstrapper } from './composition/bootstrapper.ts';
export type { Exporter, LineResult } from './composition/exporter.ts';
export type { PartOverrides } from './composition/overrides.ts';
export type { RelayOptions, RelayService } from './composition/relay-service.ts';
export type { LoadedSettings } from './config/index.ts';
export type { ErrorKind } from './errors/index.ts';
export { FallbackError } from './errors/index.ts';
export type { LineState } from './export/line-status.ts';
export type { ExportOutcome } from './export/outcome.ts';
export type { StandingFinding } from './observe/index.ts';

export type EmbeddedSettingsOptions = Omit<LoadSettingsOptions, 'catalogue' | 'cwd' | 'env'> & {
  /** Default: the process's own. */
  readonly cwd?: string;
  /** Default: the process's own. */
  readonly env?: LoadSettingsOptions['env'];
};

export interface EmbedOptions {
  /** Pino's shape. Default: silent. Secrets of the settings are not blanked here: see `secretsBlanked`. */
  readonly log?: Logger;
  /** Parts in place of those that the settings ask for. */
  readonly parts?: PartOverrides;
}

/**
 * Finds, merges and checks the settings as the command line does.
 *
 * @throws FallbackError `invalid` KF_SETTINGS_…, KF_PLUGIN_… with a line for each problem
 */
export function loadSettings(options: EmbeddedSettingsOptions): Promise<LoadedSettings> {
  const { cwd = process.cwd(), env = process.env, ...rest } = options;
  return load({ ...rest, cwd, env, catalogue: new InstalledPlugins() });
}

/** Blanks every secret of these settings in a text, also URL-encoded and in base64; for a program's own log. */
export const secretsBlanked = (settings: LoadedSettings): ((text: string) => string) =>
  new Redactor(settings.secrets).redact;

/** The backup node: `once`, or `run` until a signal fires. */
export function createExporter(settings: LoadedSettings, options: EmbedOptions = {}): Exporter {
  const { log = silentLogger, parts = {} } = options;
  return new Exporter(override(exporterParts(settings, log), parts));
}

/** A new data plane's start: `once`. */
export function createBootstrap(settings: LoadedSettings, options: EmbedOptions = {}): Bootstrapper {
  const { log = silentLogger, parts = {} } = options;
  return new Bootstrapper(override(bootstrapParts(settings, log), parts));
}

/** The address that data planes dial: `run` until a signal fires. */
export function createRelay(
  settings: LoadedSettings,
  options: EmbedOptions & RelayOptions = {},
): RelayService {
  const { log = silentLogger, parts = {}, ...rest } = options;
  return new RelayService(override(relayParts(settings, log), parts), rest);
}
