import {
  type CallOptions,
  type ConfigDocument,
  definePlugin,
  type Finding,
  type PluginContext,
  type StandardSchema,
  type ValidationContext,
  type Validator,
} from 'kongfallback/plugin';
import { FindingList } from './finding-list.ts';
import { groupsOf } from './groups.ts';
import { checkIds } from './ids.ts';
import { checkNames } from './names.ts';
import { checkOlderGateways } from './older-gateways.ts';
import { checkReferences } from './references.ts';
import { checkTopLevel } from './top-level.ts';

const NO_SETTINGS: StandardSchema<Record<string, never>> = {
  '~standard': {
    version: 1,
    vendor: 'kongfallback',
    validate: (value) => {
      const unknown = Object.keys((value ?? {}) as object);
      if (unknown.length === 0) return { value: {} };
      return { issues: unknown.map((key) => ({ message: 'kong-schema has no settings', path: [key] })) };
    },
    jsonSchema: { input: () => ({ type: 'object', properties: {}, additionalProperties: false }) },
  },
};

/** What a data plane would refuse, as far as that can be told without its schemas (../README.md). */
class KongSchema implements Validator {
  readonly #plugin: PluginContext;

  constructor(plugin: PluginContext) {
    this.#plugin = plugin;
  }

  async validate(
    { table }: ConfigDocument,
    { fromControlPlane, gatewayVersion }: ValidationContext,
    { signal }: CallOptions,
  ): Promise<readonly Finding[]> {
    if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before the document was checked');
    const findings = new FindingList(fromControlPlane);
    checkTopLevel(table, { fromControlPlane, gatewayVersion }, findings);
    const groups = groupsOf(table, findings);
    const ids = checkIds(groups, findings);
    checkReferences(groups, ids, findings);
    checkNames(groups, findings);
    checkOlderGateways(groups, gatewayVersion, findings);
    return findings.all();
  }
}

export default definePlugin({
  kind: 'validator',
  name: 'kong-schema',
  settings: NO_SETTINGS,
  create: (_settings, context) => new KongSchema(context),
});
