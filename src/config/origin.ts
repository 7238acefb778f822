import { relative } from 'node:path';

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly line?: number; readonly column?: number }
  | { readonly kind: 'kong'; readonly name: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string };

export const DEFAULT_ORIGIN: Origin = { kind: 'default' };

/** "file .kongfallbackrc:3:1", "env KONGFALLBACK_CLUSTER", "flag --set cluster", "default". */
export function originText(origin: Origin, cwd: string): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file': {
      const near = relative(cwd, origin.path);
      const path = near !== '' && !near.startsWith('..') ? near : origin.path;
      return `file ${path}${origin.line === undefined ? '' : `:${origin.line}:${origin.column}`}`;
    }
    default:
      return `${origin.kind} ${origin.name}`;
  }
}
