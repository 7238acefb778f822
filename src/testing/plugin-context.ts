import { FallbackError } from '../errors/index.ts';
import type { PluginContext } from '../plugin/index.ts';
import { FakeClock } from './fake-clock.ts';

/**
 * What the core gives a plugin, for tests: a clock on which sleeping takes no time, a silent logger, errors as
 * the core makes them. Any part can be replaced.
 */
export function pluginContext(replaced: Partial<PluginContext> = {}): PluginContext {
  const silent = () => {};
  return {
    id: 'under-test',
    cluster: 'test',
    baseDirectory: process.cwd(),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    clock: new FakeClock({ runs: true }),
    error: (kind, message, options) =>
      new FallbackError(kind, `KF_PLUGIN_${kind.toUpperCase()}`, message, options),
    import: <T>(specifier: string) => import(specifier) as Promise<T>,
    ...replaced,
  };
}
