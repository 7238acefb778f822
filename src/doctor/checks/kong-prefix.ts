import { stat } from 'node:fs/promises';
import type { FallbackError } from '../../errors/index.ts';
import { fromError, type Observation } from '../observation.ts';

/** What a bootstrap sees of the node (its own look, handed in). */
export type NodeSeen =
  | { readonly state: 'new'; readonly path: string; readonly reason: string }
  | { readonly state: 'configured'; readonly path: string; readonly configHash: string }
  | { readonly state: 'unknown'; readonly path: string; readonly error: FallbackError };

/** A prefix that is another one than the gateway's makes every node look new. */
export async function kongPrefix(prefix: string, seen: NodeSeen): Promise<Observation[]> {
  if (seen.state === 'unknown') return [fromError(seen.error, 'warning')];
  if (seen.state === 'configured') {
    const message = `${seen.path} holds configuration ${seen.configHash}: a bootstrap leaves this node alone`;
    return [{ severity: 'ok', code: 'node-configured', message }];
  }
  const found = await stat(prefix).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    return [
      {
        severity: 'warning',
        code: 'kong-prefix-missing',
        message: `the prefix of Kong is not there: ${prefix}`,
        hint: "Set bootstrap.kongPrefix (or KONG_PREFIX) to the gateway's prefix, and mount it here: without it a configured node looks new.",
      },
    ];
  }
  return [{ severity: 'ok', code: 'node-new', message: `${seen.path}: a new node (${seen.reason})` }];
}
