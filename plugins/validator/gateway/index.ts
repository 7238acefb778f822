// Validator `gateway`: a real gateway without a database loads the document before any other does, the canary.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { definePlugin, type PluginContext } from 'kongfallback/plugin';
import { AdminApi } from './admin-api.ts';
import { Gateway } from './gateway.ts';
import { settings } from './settings.ts';

export default definePlugin({
  kind: 'validator',
  name: 'gateway',
  settings,
  async create(options, context) {
    const ca = options.ca === undefined ? undefined : await readCa(options.ca, context);
    return new Gateway(
      new AdminApi({ url: options.url, token: options.token, ca }, context),
      options,
      context,
    );
  },
});

async function readCa(path: string, context: PluginContext): Promise<string> {
  const full = resolve(context.baseDirectory, path);
  try {
    return await readFile(full, 'utf8');
  } catch (cause) {
    throw context.error('invalid', `cannot read ca ${full}: ${(cause as Error).message}`, {
      cause,
      hint: 'Name the PEM file of the CA that issued the certificate of admin_listen.',
    });
  }
}
