// Validator `limits`: walls that a growing configuration runs into, seen from afar.
import { definePlugin } from 'kongfallback/plugin';
import { Limits } from './limits.ts';
import { settings } from './settings.ts';

export default definePlugin({
  kind: 'validator',
  name: 'limits',
  settings,
  create: (checked, context) => new Limits(checked, context),
});
