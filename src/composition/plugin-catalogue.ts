import type { PluginCatalogue, PluginFolders, PluginReference, ResolvedPlugin } from '../config/index.ts';
import { FallbackError } from '../errors/index.ts';
import type { Plugin, PluginKind } from '../plugin/plugin.ts';
import { BUILT_INS, type BuiltIns } from './built-ins.ts';
import { loadPlugin } from './plugin-load.ts';
import { invalidPlugin } from './plugin-module.ts';
import { isPath, type Place, packagePlaces, pathPlace } from './plugin-places.ts';

/** Finds and loads plugins by the name that `use` gives (design D15). */
export class InstalledPlugins implements PluginCatalogue {
  readonly #builtIns: BuiltIns;

  constructor(builtIns: BuiltIns = BUILT_INS) {
    this.#builtIns = builtIns;
  }

  /**
   * `use` as a built-in of that kind, `kongfallback-<kind>-<use>`, a package, a path relative to the settings file.
   *
   * @throws `invalid` KF_PLUGIN_NOT_FOUND with every place that was tried, KF_PLUGIN_INVALID, KF_PLUGIN_WRONG_KIND
   */
  async resolve(kind: PluginKind, use: string, folders: PluginFolders): Promise<ResolvedPlugin> {
    const builtIns = this.#builtIns[kind];
    if (Object.hasOwn(builtIns, use)) {
      const reference = { kind, use, url: null };
      return { plugin: await this.load(reference), reference };
    }
    const tried: string[] = [`built-in ${kind} plugins (${Object.keys(builtIns).join(', ')})`];
    for (const place of placesOf(kind, use, folders)) {
      if (place.fault !== undefined) throw invalidPlugin(kind, use, place.tried, place.fault);
      if (place.url === undefined) {
        tried.push(place.tried);
        continue;
      }
      const reference = { kind, use, url: place.url };
      return { plugin: await this.load(reference), reference };
    }
    throw new FallbackError(
      'invalid',
      'KF_PLUGIN_NOT_FOUND',
      `${kind} plugin ${use} was not found; tried:\n${tried.map((place) => `    ${place}`).join('\n')}`,
      {
        hint: isPath(use)
          ? 'Check the path; it is relative to the folder of the settings file.'
          : `Check the spelling, or install it beside the settings file: npm install ${isShort(use) ? `kongfallback-${kind}-${use}` : use}`,
      },
    );
  }

  /** @throws what `loadPlugin` throws */
  load(reference: PluginReference): Promise<Plugin> {
    return loadPlugin(reference, this.#builtIns[reference.kind]);
  }
}

function* placesOf(kind: PluginKind, use: string, folders: PluginFolders): Generator<Place> {
  if (!isPath(use)) {
    if (isShort(use)) yield* packagePlaces(`kongfallback-${kind}-${use}`, folders);
    if (/^[@A-Za-z0-9]/.test(use)) yield* packagePlaces(use, folders);
  }
  yield pathPlace(use, folders);
}

/** May be the last part of `kongfallback-<kind>-<name>`. */
const isShort = (use: string): boolean => /^[a-z0-9][a-z0-9._-]*$/.test(use);
