// Validator `expiry`: certificates in a configuration, before one of them makes data planes reject all of it.
import { definePlugin } from 'kongfallback/plugin';
import { Expiry } from './expiry.ts';
import { settings } from './settings.ts';

export default definePlugin({
  kind: 'validator',
  name: 'expiry',
  settings,
  create: ({ warnDays }, context) => new Expiry(warnDays, context),
});
