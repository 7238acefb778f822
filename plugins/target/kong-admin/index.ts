// Target `kong-admin`: the document into a DB-less node that runs, with POST /config. All or nothing is Kong's own: it
// loads a body that arrived whole, in one transaction, or nothing.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { definePlugin, type PluginContext } from 'kongfallback/plugin';
import { AdminClient } from './admin-client.ts';
import { KongAdminTarget } from './kong-admin-target.ts';
import { type KongAdminSettings, settings } from './settings.ts';

export default definePlugin({
  kind: 'target',
  name: 'kong-admin',
  settings,
  async create(options, context) {
    const ca = options.ca === undefined ? undefined : await readCa(options.ca, context);
    const client = new AdminClient({ url: options.url, token: options.token, ca }, context);
    const { waitSeconds, loadSeconds }: KongAdminSettings = options;
    return new KongAdminTarget(client, { waitMs: waitSeconds * 1000, loadMs: loadSeconds * 1000 }, context);
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
