import type { PluginContext } from 'kongfallback/plugin';

/** The errno of a failed system call, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** A file system error with the kind that its errno means; what already has a kind is kept. */
export function fileError(context: PluginContext, error: unknown, path: string): Error {
  if ((error as { kind?: unknown } | null)?.kind !== undefined) return error as Error;
  const code = errnoOf(error) ?? 'unknown error';
  switch (code) {
    case 'ABORT_ERR':
      return context.error('aborted', 'stopped before it was done', { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return context.error('unavailable', `no space left (${code}) in ${path}`, {
        cause: error,
        hint: 'The disk is full or the quota is used up: free some space or enlarge the volume. Nothing was lost.',
      });
    case 'EMFILE':
    case 'ENFILE':
      return context.error('unavailable', `too many open files (${code}) at ${path}`, {
        cause: error,
        hint: 'Raise the limit of open files (ulimit -n, LimitNOFILE) of this process.',
      });
    case 'EACCES':
    case 'EPERM':
      return context.error('denied', `no permission (${code}) for ${path}`, {
        cause: error,
        hint: 'Give the user of this process the rights it needs there; nodes of another user need `readableBy`.',
      });
    case 'EROFS':
      return context.error('denied', `read-only file system (${code}) at ${path}`, {
        cause: error,
        hint: 'Mount it writable for the exporter; readers never write here.',
      });
    case 'ELOOP':
      return symlink(context, path);
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENAMETOOLONG':
      return context.error('unsupported', `cannot be stored as a file (${code}): ${path}`, {
        cause: error,
        hint: 'A key cannot be a file and a folder at once, nor have parts of more than 255 bytes; change `prefix`.',
      });
    default:
      return context.error('unavailable', `file system error (${code}) at ${path}`, {
        cause: error,
        hint: 'Check the disk or the mount; the kernel log says more.',
      });
  }
}

export function symlink(context: PluginContext, path: string): Error {
  return context.error('denied', `a symbolic link is in the way: ${path}`, {
    hint: 'Links inside the directory are not followed, since they could lead out of it; `path` itself may be one.',
  });
}
