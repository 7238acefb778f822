import { definePlugin } from 'kongfallback/plugin';
import { settings } from './settings.ts';
import { Shrinkage } from './shrinkage.ts';

export default definePlugin({
  kind: 'validator',
  name: 'shrinkage',
  settings,
  create: (checked, context) => new Shrinkage(checked, context),
});
