import type { PluginContext } from 'kongfallback/plugin';

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const FORBIDDEN = ['EACCES', 'EPERM', 'EROFS'];
const MISPLACED = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'];

/** Errors that already have a kind (corrupt bytes from the stream, an abort) pass as they are. */
export function classifyFileError(
  error: unknown,
  path: string,
  directory: string,
  context: PluginContext,
): unknown {
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  const cause = { cause: error };
  if (FULL.includes(code)) {
    const hint = 'Free space there; the file that was there before is unchanged.';
    return context.error('unavailable', `the disk is full: cannot write ${path}`, { ...cause, hint });
  }
  if (code === 'EPERM' && (error as NodeJS.ErrnoException).syscall === 'fchown') {
    const hint =
      'Only root may give a file to another user: run as root, or leave `owner` out and set `mode`.';
    return context.error('denied', `not allowed to give ${path} to its owner`, { ...cause, hint });
  }
  if (FORBIDDEN.includes(code)) {
    const hint = `Give this user write access to ${directory}, or set another path.`;
    return context.error('denied', `not allowed to write ${path} (${code})`, { ...cause, hint });
  }
  if (MISPLACED.includes(code)) {
    const hint = `The directory ${directory} must exist, and the path must name a file in it.`;
    return context.error('invalid', `cannot write ${path} (${code})`, { ...cause, hint });
  }
  return error;
}
