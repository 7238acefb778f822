import type { Observation } from '../observation.ts';

/** `engines` of package.json. */
const LEAST = [20, 19] as const;

/** @param version as `process.versions.node` */
export function nodeVersion(version: string): Observation[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1]);
  if (!old) return [{ severity: 'ok', code: 'node-version', message: `Node ${version}` }];
  return [
    {
      severity: 'error',
      code: 'node-too-old',
      message: `Node ${version} is older than ${LEAST.join('.')}`,
      hint: `Install Node ${LEAST.join('.')} or newer; 22 and 24 are tested as well.`,
    },
  ];
}
