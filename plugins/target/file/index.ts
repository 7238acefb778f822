// Target `file`: the document as a file that `declarative_config` names.
import { dirname, resolve } from 'node:path';
import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { classifyFileError } from './errors.ts';
import { writeWhole } from './write-whole.ts';

const settings = z.strictObject({
  path: z.string().min(1).meta({
    description:
      'File to write, relative to the settings file. End it in .json: Kong reads other endings as YAML, which is slower.',
  }),
  mode: z
    .string()
    .regex(/^0?[0-7]{3}$/)
    .default('0640')
    .meta({ description: 'Permissions in octal. The document holds credentials and private keys.' }),
});

export default definePlugin({
  kind: 'target',
  name: 'file',
  settings,
  create(options, context) {
    const path = resolve(context.baseDirectory, options.path);
    return {
      async apply(document, { signal }) {
        try {
          await writeWhole({ path, mode: Number.parseInt(options.mode, 8), body: document.body, signal });
        } catch (error) {
          throw classifyFileError(error, path, dirname(path), context);
        }
        return { where: path };
      },
    };
  },
});
