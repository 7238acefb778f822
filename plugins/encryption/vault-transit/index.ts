import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { definePlugin, type PluginContext } from 'kongfallback/plugin';
import { VaultTransitKeyWrap } from './key-wrap.ts';
import { settings } from './settings.ts';
import { tokenSource } from './tokens.ts';
import { VaultClient } from './vault-client.ts';

/** A transit key of HashiCorp Vault or OpenBao wraps the data key of each snapshot. */
export default definePlugin({
  kind: 'encryption',
  name: 'vault-transit',
  settings,
  async create(checked, context) {
    const { address, namespace, caFile, requestTimeoutSeconds, mount, key } = checked;
    const ca = caFile === undefined ? undefined : await readCa(caFile, context);
    const server = { address, namespace, ca, deadlineMs: requestTimeoutSeconds * 1000 };
    const client = new VaultClient(server, context);
    const tokens = tokenSource(checked.auth, client, context);
    return new VaultTransitKeyWrap({ client, tokens, context, mount, key, namespace });
  },
});

async function readCa(path: string, context: PluginContext): Promise<string> {
  const full = resolve(context.baseDirectory, path);
  const hint = 'Set `caFile` to a PEM file with the certificate of the CA that issued that of the server.';
  const text = await readFile(full, 'latin1').catch((cause: NodeJS.ErrnoException) => {
    throw context.error('invalid', `CA file ${full}: cannot be read (${cause.code ?? cause.message})`, {
      cause,
      hint,
    });
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw context.error('invalid', `CA file ${full}: holds no certificate`, { hint });
}
