// Target `command`: the document to a command of the operator's, which makes the node use it.
import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { CommandTarget } from './command-target.ts';

const settings = z.strictObject({
  command: z.array(z.string().min(1).max(4096)).min(1).max(100).meta({
    description:
      'Program and arguments; no shell is between. {file} in an argument stands for a file with the document, which is removed afterwards; without one the document comes on standard input. Exit code 0 says that the node uses it.',
  }),
  timeoutSeconds: z.number().positive().max(3600).default(120).meta({
    description: 'After so long the command and all that it started are killed. Default: 120.',
  }),
});

export default definePlugin({
  kind: 'target',
  name: 'command',
  settings,
  create({ command, timeoutSeconds }, context) {
    return new CommandTarget(command, timeoutSeconds * 1000, context);
  },
});
