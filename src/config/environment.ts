import { didYouMean } from './did-you-mean.ts';
import type { Problem } from './problem.ts';
import type { SchemaOutline } from './schema-outline.ts';
import type { SettingPath } from './setting-path.ts';
import type { Assignment } from './setting-tree.ts';

const PREFIX = 'KONGFALLBACK_';

/** Variables that name no setting. */
const OWN = new Set(['KONGFALLBACK_CONFIG']);

/**
 * What Kubernetes injects for Services whose names begin with kongfallback; ours have a double underscore where
 * these have one, and no setting of the first level is called like the rest.
 */
const INJECTED = [
  /^KONGFALLBACK_SERVICE_(?!_)/,
  /^KONGFALLBACK_PORT(_|$)/,
  /^KONGFALLBACK_[A-Z0-9_]+_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/,
  /^KONGFALLBACK_[A-Z0-9_]+_PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?$/,
];

/**
 * `KONGFALLBACK_EXPORT__DELAY_SECONDS=5` as assignments: `__` nests, digits count in lists, UPPER_SNAKE is
 * camelCase. Inside a plugin's entry any name is taken here; the plugin's schema judges it later.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  outline: SchemaOutline,
): { assignments: Assignment[]; problems: Problem[] } {
  const assignments: Assignment[] = [];
  const problems: Problem[] = [];
  // Sorted, so that list entries come in order (…__0__… before …__1__…); ours alone, since a collator costs 8 ms.
  const ours = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !OWN.has(name));
  for (const name of ours.sort(byNumber)) {
    const value = env[name];
    if (value === undefined) continue;
    if (INJECTED.some((pattern) => pattern.test(name))) continue;
    const path = match(name.slice(PREFIX.length).split('__'), outline);
    if (path !== undefined) {
      assignments.push({ path, value, origin: { kind: 'env', name }, text: true });
      continue;
    }
    const near = didYouMean(name, [...OWN, ...namesNear(name, outline)]);
    problems.push({
      path: [],
      message: `the environment variable ${name} matches no setting${near === undefined ? '' : `; did you mean ${near}?`}`,
    });
  }
  return { assignments, problems };
}

const byNumber = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

function match(segments: readonly string[], outline: SchemaOutline): SettingPath | undefined {
  let path: SettingPath = [];
  for (const segment of segments) {
    const part = step(segment, outline, path);
    if (part === undefined) return undefined;
    path = [...path, part];
  }
  return path;
}

function step(segment: string, outline: SchemaOutline, path: SettingPath): string | number | undefined {
  if (/^\d{1,4}$/.test(segment)) {
    const index = Number(segment);
    return outline.at([...path, index]).length > 0 || isOpen(outline, path) ? index : undefined;
  }
  if (!/^[A-Z][A-Z0-9_]*$/.test(segment)) return undefined;
  const key = outline.keys(path).find((name) => upperSnake(name) === segment);
  return key ?? (isOpen(outline, path) ? camelCase(segment) : undefined);
}

/** Inside a plugin's entry, whose own settings the core does not know. */
const isOpen = (outline: SchemaOutline, path: SettingPath): boolean =>
  path.some((_, i) => outline.at(path.slice(0, i + 1)).some((node) => node['pluginKind'] !== undefined));

export const upperSnake = (name: string): string =>
  name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

const camelCase = (segment: string): string =>
  segment.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Names to compare a mistyped one with: every setting, lists with the numbers that were written. */
function namesNear(name: string, outline: SchemaOutline): string[] {
  const numbers = name.match(/(?<=__)\d{1,4}(?=__|$)/g) ?? [];
  const number = Number(numbers[0] ?? 0);
  const names: string[] = [];
  const visit = (path: SettingPath, text: string): void => {
    if (path.length > 4) return;
    for (const key of outline.keys(path)) {
      const child = [...path, key];
      names.push(`${text}${upperSnake(key)}`);
      visit(child, `${text}${upperSnake(key)}__`);
      if (outline.at([...child, number]).length > 0)
        visit([...child, number], `${text}${upperSnake(key)}__${number}__`);
    }
  };
  visit([], PREFIX);
  return names;
}
