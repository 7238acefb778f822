import { importModule } from '../config/import-module.ts';
import type { PluginFolders } from '../config/index.ts';
import { type ErrorKind, FallbackError, isErrorKind } from '../errors/index.ts';
import type { Clock, Logger, PluginContext, PluginErrorOptions, PluginKind } from '../plugin/plugin.ts';
import { packagePlaces } from './plugin-places.ts';

export interface PluginContextOptions {
  readonly kind: PluginKind;
  readonly id: string;
  readonly cluster: string;
  readonly folders: PluginFolders;
  readonly log: Logger;
  readonly clock: Clock;
}

/** What one plugin instance is given. Errors carry KF_<KIND>_<ERROR KIND> and name the instance. */
export function pluginContext({
  kind,
  id,
  cluster,
  folders,
  log,
  clock,
}: PluginContextOptions): PluginContext {
  const instance = `${kind} ${id}`;
  return {
    id,
    cluster,
    baseDirectory: folders.baseDirectory,
    log,
    clock,
    error: (errorKind: ErrorKind, message: string, options: PluginErrorOptions = {}) =>
      isErrorKind(errorKind)
        ? new FallbackError(
            errorKind,
            `KF_${kind}_${errorKind}`.toUpperCase(),
            `${instance}: ${message}`,
            options,
          )
        : new FallbackError('unavailable', 'KF_PLUGIN_UNCLASSIFIED', `${instance}: ${message}`, options),
    import: async <T>(specifier: string): Promise<T> => {
      for (const { url, fault, tried } of packagePlaces(specifier, folders)) {
        if (fault !== undefined) throw unusable(instance, specifier, `${tried}: ${fault}`);
        if (url === undefined) continue;
        try {
          return (await importModule(url)) as T;
        } catch (error) {
          throw unusable(instance, specifier, error instanceof Error ? error.message : String(error), error);
        }
      }
      throw new FallbackError(
        'invalid',
        'KF_PLUGIN_MISSING_PACKAGE',
        `${instance} needs the package ${specifier}, which is not installed`,
        {
          hint: `Run npm install ${packageOf(specifier)} in the folder of the settings file (${folders.baseDirectory}).`,
        },
      );
    },
  };
}

const unusable = (instance: string, specifier: string, reason: string, cause?: unknown): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_PLUGIN_MISSING_PACKAGE',
    `${instance} could not load the package ${specifier}: ${reason}`,
    {
      cause,
      hint: `Install it again: npm install ${packageOf(specifier)}; check that its version supports this version of Node.`,
    },
  );

/** `@scope/name/sub/path` is in the package `@scope/name`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
