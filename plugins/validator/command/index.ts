// Validator `command`: a program of the operator's judges the document by its exit code.
import { definePlugin } from 'kongfallback/plugin';
import { CommandValidator } from './command-validator.ts';
import { settings } from './settings.ts';

export default definePlugin({
  kind: 'validator',
  name: 'command',
  settings,
  create: (checked, context) => new CommandValidator(checked, context),
});
