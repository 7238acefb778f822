// First step: has this node a configuration that it would start with? Then it is left alone.
import { join, resolve } from 'node:path';
import { classify, type FallbackError } from '../errors/index.ts';
import { Lmdb } from '../kong/lmdb.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';

/** Two pages of a local file and a few more; a disk that hangs must not keep the node from starting. */
const DEADLINE_MS = 5000;
const EMPTY_HASH = '0'.repeat(32);
const HASH = /^[0-9a-f]{32}$/;
/** The first gateway that tags its store with major.minor, and wipes one with another tag. */
const FIRST_TAGGED = [3, 6] as const;

export interface NodePlace {
  /** Kong's `prefix`. */
  readonly prefix: string;
  /** Kong's `lmdb_environment_path`, relative to the prefix. */
  readonly environmentPath: string;
}

export type NodeState =
  | { readonly state: 'new'; readonly path: string; readonly reason: string }
  | { readonly state: 'configured'; readonly path: string; readonly configHash: string }
  /** Something is there that is not understood: it counts as configured. */
  | { readonly state: 'unknown'; readonly path: string; readonly error: FallbackError };

/** Never throws but for an abort. */
export async function nodeState(
  place: NodePlace,
  gatewayVersion: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<NodeState> {
  const path = join(resolve(place.prefix, place.environmentPath), 'data.mdb');
  try {
    return await withDeadline(clock, DEADLINE_MS, signal, `look into ${path}`, () =>
      look(path, gatewayVersion),
    );
  } catch (thrown) {
    const error = classify(thrown, `look into ${path}`);
    if (error.kind === 'aborted') throw error;
    return { state: 'unknown', path, error };
  }
}

async function look(path: string, gatewayVersion: string): Promise<NodeState> {
  const lmdb = await Lmdb.open(path);
  if (lmdb === undefined) return { state: 'new', path, reason: 'there is no such file' };
  try {
    const { hash, tag } = await lmdb.read({
      hash: { key: 'declarative_config:hash', database: '_default' },
      tag: { key: 'validation_tag' },
    });
    const isNew = (reason: string): NodeState => ({ state: 'new', path, reason });
    const configHash = hash?.toString('latin1');
    if (configHash === undefined || configHash === EMPTY_HASH) return isNew('it holds no configuration');
    if (!HASH.test(configHash)) throw lmdb.unexpected('its configuration hash is not 32 hexadecimal digits');
    const own = wantedTag(gatewayVersion);
    const found = tag?.toString('latin1');
    if (own !== undefined && found !== own) {
      return isNew(`gateway ${gatewayVersion} wipes it: it was written by ${found ?? 'one before 3.6'}`);
    }
    return { state: 'configured', path, configHash };
  } finally {
    await lmdb.close();
  }
}

/** undefined: this gateway does not look at the tag. */
function wantedTag(gatewayVersion: string): string | undefined {
  const [major = 0, minor = 0] = gatewayVersion.split('.').map(Number);
  const [firstMajor, firstMinor] = FIRST_TAGGED;
  const tags = major > firstMajor || (major === firstMajor && minor >= firstMinor);
  return tags ? `${major}.${minor}` : undefined;
}
