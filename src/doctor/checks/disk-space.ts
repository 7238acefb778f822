import { existingPlace } from '../existing-place.ts';
import type { Observation } from '../observation.ts';

export interface SpaceToCheck {
  readonly setting: string;
  readonly path: string;
  /** Of the largest current document; undefined: none is known. */
  readonly documentBytes: number | undefined;
}

/** The former, the new one, and one to grow into. */
const TIMES = 3;
/** While no document is known. */
const LEAST_BYTES = 64 * 2 ** 20;

/** @param freeBytes of the file system that holds an existing path; rejects where it does not tell */
export async function diskSpace(
  { documentBytes, path, setting }: SpaceToCheck,
  freeBytes: (path: string) => Promise<number>,
): Promise<Observation[]> {
  const needed = documentBytes === undefined ? LEAST_BYTES : TIMES * documentBytes;
  const free = await freeBytes(await existingPlace(path)).catch(() => undefined);
  if (free === undefined) {
    return [
      {
        severity: 'ok',
        code: 'disk-space',
        message: `${setting}: free space of ${path} cannot be looked at`,
      },
    ];
  }
  if (free >= needed) {
    return [
      {
        severity: 'ok',
        code: 'disk-space',
        message: `${setting}: ${mib(free)} MiB free, ${mib(needed)} are needed`,
      },
    ];
  }
  return [
    {
      severity: free < (documentBytes ?? 0) || free === 0 ? 'error' : 'warning',
      code: 'disk-space-low',
      message: `${setting}: ${mib(free)} MiB free at ${path}, and three times the document is ${mib(needed)} MiB`,
      hint: 'Free some space or enlarge the volume: the former file stays until the new one is whole.',
    },
  ];
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0);
