import { definePlugin, type StandardSchema, type Validator } from 'kongfallback/plugin';
import { COLLECTIONS } from './collections.ts';
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

/** What a data plane would refuse, as far as that can be told without its schemas (README.md). */
const kongSchema: Validator = {
  validate: async ({ table }, context) => {
    const findings = new FindingList(context.fromControlPlane);
    checkTopLevel(table, context, findings);
    const groups = groupsOf(table, findings);
    const ids = checkIds(groups, (name) => COLLECTIONS.has(name), findings);
    checkReferences(groups, ids, findings);
    checkNames(groups, findings);
    checkOlderGateways(groups, context.gatewayVersion, findings);
    return findings.all();
  },
};

export default definePlugin({
  kind: 'validator',
  name: 'kong-schema',
  settings: NO_SETTINGS,
  create: () => kongSchema,
});
