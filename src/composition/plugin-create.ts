import type { LoadedEntry, PluginFolders } from '../config/index.ts';
import { classify, FallbackError, kindOf } from '../errors/index.ts';
import type { Clock, Logger, PluginInstances, PluginKind } from '../plugin/plugin.ts';
import { pluginContext } from './plugin-context.ts';

export interface PluginDependencies {
  readonly cluster: string;
  readonly folders: PluginFolders;
  readonly log: Logger;
  readonly clock: Clock;
  /** What the core adds to the settings, such as `controlPlane` for a source. */
  readonly added?: Readonly<Record<string, unknown>>;
}

/** Methods that an instance of each kind must have; of several lists any one is enough. */
const METHODS: Readonly<Record<PluginKind, readonly (readonly string[])[]>> = {
  storage: [['get', 'put', 'list', 'delete']],
  encryption: [
    ['seal', 'open'],
    ['wrap', 'unwrap'],
  ],
  validator: [['validate']],
  source: [['open']],
  target: [['apply']],
};

type EntryToCreate = Pick<LoadedEntry, 'id' | 'use' | 'plugin' | 'settings'>;

/**
 * Creates one instance.
 *
 * @throws what the plugin throws, classified; `invalid` KF_PLUGIN_INVALID for an instance without its methods
 */
export async function createPlugin<Kind extends PluginKind>(
  kind: Kind,
  { id, use, plugin, settings }: EntryToCreate,
  { cluster, folders, log, clock, added }: PluginDependencies,
): Promise<PluginInstances[Kind]> {
  const given = added === undefined ? settings : { ...(settings as object), ...added };
  const context = pluginContext({ kind, id, cluster, folders, log, clock });
  let instance: unknown;
  try {
    instance = await plugin.create(given, context);
  } catch (error) {
    // Thrown while starting: without a kind it is a fault to report, not a store to try again.
    if (kindOf(error) === undefined) {
      throw new FallbackError(
        'invalid',
        'KF_PLUGIN_INVALID',
        `${kind} ${id}: plugin ${use} could not be created: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
          hint: 'Check its settings; if they are right, this is a fault of the plugin: report it to its author.',
        },
      );
    }
    throw classify(error, `${kind} ${id}: starting plugin ${use}`);
  }
  const methods = METHODS[kind];
  const has = (name: string): boolean =>
    typeof (instance as Record<string, unknown> | null | undefined)?.[name] === 'function';
  if (!methods.some((names) => names.every(has))) {
    const expected = methods.map((names) => names.join(', ')).join(' or ');
    throw new FallbackError(
      'invalid',
      'KF_PLUGIN_INVALID',
      `${kind} ${id}: plugin ${use} created something without the methods ${expected}`,
      {
        hint: 'This is a fault of the plugin: report it to its author.',
      },
    );
  }
  return instance as PluginInstances[Kind];
}
