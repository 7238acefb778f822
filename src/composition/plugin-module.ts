import { FallbackError } from '../errors/index.ts';
import { PLUGIN_KINDS, type Plugin, type PluginKind } from '../plugin/plugin.ts';

/**
 * The plugin that a module exports, checked: a module may come from anywhere.
 *
 * @param where the module as messages name it
 * @throws `invalid` KF_PLUGIN_INVALID or KF_PLUGIN_WRONG_KIND
 */
export function pluginOf(
  module: { readonly default?: unknown },
  kind: PluginKind,
  use: string,
  where: string,
): Plugin {
  const value = unwrap(module.default);
  const wrong = faultOf(value);
  if (wrong !== undefined) throw invalidPlugin(kind, use, where, wrong);
  const plugin = value as Plugin;
  if (plugin.kind !== kind) {
    throw new FallbackError(
      'invalid',
      'KF_PLUGIN_WRONG_KIND',
      `${use} (${where}) is a plugin of kind ${plugin.kind}, not ${kind}`,
      { hint: `Name it where ${plugin.kind} plugins stand in the settings, or name a ${kind} plugin here.` },
    );
  }
  return plugin;
}

export function invalidPlugin(
  kind: PluginKind,
  use: string,
  where: string,
  wrong: string,
  cause?: unknown,
): FallbackError {
  return new FallbackError('invalid', 'KF_PLUGIN_INVALID', `${kind} plugin ${use} (${where}) ${wrong}`, {
    cause,
    hint: 'A plugin is a module whose default export is what definePlugin({ kind, name, settings, create }) returns.',
  });
}

/** A CommonJS module that was compiled from ES modules has its default export one level deeper. */
function unwrap(value: unknown): unknown {
  const inner = value as { __esModule?: unknown; default?: unknown } | null | undefined;
  return typeof value === 'object' && inner?.__esModule === true ? inner.default : value;
}

function faultOf(value: unknown): string | undefined {
  if (value === undefined) return 'has no default export';
  if (typeof value !== 'object' || value === null)
    return `has a default export that is no plugin but a ${typeof value}`;
  const { kind, name, settings, create, capabilities } = value as Record<string, unknown>;
  if (!(PLUGIN_KINDS as readonly unknown[]).includes(kind))
    return `has no kind; expected one of ${PLUGIN_KINDS.join(', ')}`;
  if (typeof name !== 'string' || name === '') return 'has no name';
  if (typeof create !== 'function') return 'has no create function';
  if (capabilities !== undefined && (typeof capabilities !== 'object' || capabilities === null)) {
    return 'has capabilities that are no object';
  }
  const standard = (
    settings as { '~standard'?: { version?: unknown; validate?: unknown } } | null | undefined
  )?.['~standard'];
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    return "has settings that are no Standard Schema (no '~standard' with version 1 and validate)";
  }
  return undefined;
}
