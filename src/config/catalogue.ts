import type { Plugin, PluginKind } from '../plugin/plugin.ts';

/** Names a plugin so that another thread can load the same one. Structured-cloneable. */
export interface PluginReference {
  readonly kind: PluginKind;
  /** As the settings name it. */
  readonly use: string;
  /** The module; null for a built-in. */
  readonly url: string | null;
}

export interface ResolvedPlugin {
  readonly plugin: Plugin;
  readonly reference: PluginReference;
}

/** Folders that names are resolved from, in this order, before this installation. */
export interface PluginFolders {
  /** Of the settings file. */
  readonly baseDirectory: string;
  readonly cwd: string;
}

/** Where the settings get plugins from; the composition gives the one that loads from disk. */
export interface PluginCatalogue {
  /** Rejects with `invalid` KF_PLUGIN_NOT_FOUND, KF_PLUGIN_INVALID or KF_PLUGIN_WRONG_KIND. */
  resolve(kind: PluginKind, use: string, folders: PluginFolders): Promise<ResolvedPlugin>;
}
