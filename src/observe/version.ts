import { readFileSync } from 'node:fs';

/** From package.json, which lies two or three folders up: in the sources, in dist/src and beside the bundle. */
export function version(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const text = readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8');
      const { name, version: found } = JSON.parse(text) as { name?: string; version?: string };
      if (name === 'kongfallback' && found !== undefined) return found;
    } catch {}
  }
  return 'unknown';
}
