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
  owner: z
    .string()
    .regex(/^\d{1,10}:\d{1,10}$/, 'expected numbers as user:group, such as "1000:1000"')
    .refine((text) => text.split(':').every((id) => Number(id) < 2 ** 32 - 1), {
      error: 'expected numbers below 4294967295',
    })
    .optional()
    .meta({
      description:
        'Numeric user:group that gets the file, for a gateway that runs as another user; only root may give it away. Default: as it is created.',
    }),
});

export default definePlugin({
  kind: 'target',
  name: 'file',
  settings,
  create(options, context) {
    const path = resolve(context.baseDirectory, options.path);
    const [user, group] = options.owner?.split(':').map(Number) ?? [];
    const owner = user === undefined || group === undefined ? undefined : { user, group };
    return {
      async apply(document, { signal }) {
        const mode = Number.parseInt(options.mode, 8);
        try {
          await writeWhole({ path, mode, owner, body: document.body, signal });
        } catch (error) {
          throw classifyFileError(error, path, dirname(path), context);
        }
        return { where: path, declarativeConfig: path };
      },
    };
  },
});
