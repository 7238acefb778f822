import { bundledPlugins } from '../kong/index.ts';

/**
 * A control plane sends nothing to a data plane that lacks a configured plugin, so the probe lists what the
 * exporter's source lists. The node's role does not load that plugin; these two settings are read as written.
 */
export function announcedPlugins(source: unknown, version: string): string[] {
  const { plugins, additionalPlugins } = (typeof source === 'object' ? source : {}) as Record<
    string,
    unknown
  >;
  const names = Array.isArray(plugins) ? plugins : bundledPlugins(version);
  const all = [...names, ...(Array.isArray(additionalPlugins) ? additionalPlugins : [])];
  return [...new Set(all.filter((name): name is string => typeof name === 'string'))];
}
