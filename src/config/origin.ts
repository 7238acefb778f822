import { relative } from 'node:path';

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly line?: number; readonly column?: number }
  | { readonly kind: 'kong'; readonly name: string }
  | { readonly kind: 'kong-conf'; readonly path: string; readonly line: number }
  /** A default that holds only with Kong's names. */
  | { readonly kind: 'kong-default' }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string };

export const DEFAULT_ORIGIN: Origin = { kind: 'default' };

/** "file .kongfallbackrc:3:1", "kong.conf line 3", "env KONGFALLBACK_CLUSTER", "flag --set cluster", "default". */
export function originText(origin: Origin, cwd: string): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'kong-default':
      return "default with Kong's names";
    case 'kong-conf':
      return `${nearPath(origin.path, cwd)} line ${origin.line}`;
    case 'file': {
      const place = origin.line === undefined ? '' : `:${origin.line}:${origin.column}`;
      return `file ${nearPath(origin.path, cwd)}${place}`;
    }
    default:
      return `${origin.kind} ${origin.name}`;
  }
}

function nearPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near !== '' && !near.startsWith('..') ? near : path;
}
