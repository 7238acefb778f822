import { access, constants, statfs } from 'node:fs/promises';
import type { Finding, InspectOptions, PluginContext } from 'kongfallback/plugin';
import { findRoot } from './place.ts';

/** A few snapshots of a large fleet. */
const LEAST_BYTES = 64 * 2 ** 20;

/** Asks the system, and writes nothing: a conditional write would be refused before its rights are looked at. */
export async function inspectDirectory(
  context: PluginContext,
  path: string,
  { as }: InspectOptions,
): Promise<Finding[]> {
  const root = await findRoot(context, path);
  if (as === 'writer') return shortOfSpace(root);
  const writable = await access(root, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) return [];
  return [
    {
      code: 'file/writable-by-reader',
      severity: 'warning',
      message: `this user may write ${root}, and a data plane or a relay only reads`,
      hint: 'Mount it read-only here, or run kongfallback as a user that only reads it (`readableBy` of the storage).',
    },
  ];
}

async function shortOfSpace(root: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free >= LEAST_BYTES) return [];
  return [
    {
      code: 'file/space-low',
      severity: 'warning',
      message: `${Math.floor(free / 2 ** 20)} MiB are free at ${root}`,
      hint: 'Free some space or enlarge the volume: nothing is published when it is full.',
    },
  ];
}
