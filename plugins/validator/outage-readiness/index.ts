// Validator `outage-readiness`: what of a configuration needs the control plane, its database or a remote vault, and so
// will not work on a node that starts from storage. Only warns.
import { definePlugin, type StandardSchema } from 'kongfallback/plugin';
import { OutageReadiness } from './outage-readiness.ts';

const NO_SETTINGS: StandardSchema<Record<string, never>> = {
  '~standard': {
    version: 1,
    vendor: 'kongfallback',
    validate: (value) => {
      const unknown = Object.keys((value ?? {}) as object);
      if (unknown.length === 0) return { value: {} };
      return { issues: unknown.map((key) => ({ message: 'outage-readiness has no settings', path: [key] })) };
    },
    jsonSchema: { input: () => ({ type: 'object', properties: {}, additionalProperties: false }) },
  },
};

export default definePlugin({
  kind: 'validator',
  name: 'outage-readiness',
  settings: NO_SETTINGS,
  create: (_settings, context) => new OutageReadiness(context),
});
