import { importModule } from '../config/import-module.ts';
import type { PluginReference } from '../config/index.ts';
import type { Plugin } from '../plugin/plugin.ts';
import type { BuiltInsOfKind } from './built-ins.ts';
import { invalidPlugin, pluginOf } from './plugin-module.ts';

/**
 * The plugin that a reference names.
 *
 * @throws `invalid` KF_PLUGIN_INVALID, KF_PLUGIN_WRONG_KIND
 */
export async function loadPlugin(
  { kind, use, url }: PluginReference,
  builtIns: BuiltInsOfKind,
): Promise<Plugin> {
  const where = url ?? 'built-in';
  const load =
    url === null ? (Object.hasOwn(builtIns, use) ? builtIns[use] : undefined) : () => importModule(url);
  if (load === undefined) throw invalidPlugin(kind, use, where, 'does not exist');
  let module: { default?: unknown };
  try {
    module = (await load()) as { default?: unknown };
  } catch (error) {
    throw invalidPlugin(
      kind,
      use,
      where,
      `could not be imported: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  return pluginOf(module, kind, use, where);
}
