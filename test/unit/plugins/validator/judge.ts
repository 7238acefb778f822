import type { Finding, Plugin, PluginContext, StandardSchema, ValidationContext } from 'kongfallback/plugin';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';

export type Table = Record<string, unknown>;

export interface Given {
  readonly settings?: object;
  readonly plugin?: Partial<PluginContext>;
  readonly context?: Partial<ValidationContext>;
  readonly signal?: AbortSignal;
}

/** What a validator finds in a table that went through JSON, with settings that its own schema has checked. */
export async function judge<Schema extends StandardSchema>(
  plugin: Plugin<'validator', Schema>,
  table: unknown,
  given: Given = {},
): Promise<readonly Finding[]> {
  const text = typeof table === 'string' ? table : JSON.stringify(table);
  const checked = await plugin.settings['~standard'].validate(given.settings ?? {});
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  const validator = await plugin.create(checked.value as never, pluginContext(given.plugin));
  return validator.validate(
    { bytes: new TextEncoder().encode(text), table: JSON.parse(text) as Table },
    { cluster: 'c', gatewayVersion: '3.9.3', fromControlPlane: true, counts: {}, now: 0, ...given.context },
    { signal: given.signal ?? new AbortController().signal },
  );
}

/** What a schema says of settings, "url: expected …". */
export async function issuesOf(plugin: { settings: StandardSchema }, settings: unknown): Promise<string[]> {
  const checked = await plugin.settings['~standard'].validate(settings);
  return (checked.issues ?? []).map(({ message, path = [] }) => [...path.map(String), message].join(': '));
}

/** A UUID by number. */
export const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
