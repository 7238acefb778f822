import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

export interface ReadText {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

/** Settings, keys and certificates are far smaller; anything larger is the wrong file. */
export const LARGEST_FILE_BYTES = 1_048_576;

/**
 * The text of a regular file of at most 1 MiB.
 *
 * @throws a plain Error whose message says why, without the path: the caller knows what the file was for.
 */
export async function readText(path: string): Promise<ReadText> {
  // Without O_NONBLOCK, opening a FIFO waits for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new Error(reasonOf(error), { cause: error });
  });
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw new Error('is a folder, not a file');
    if (!stat.isFile()) throw new Error('is not a regular file');
    if (stat.size > LARGEST_FILE_BYTES) throw new Error(`is larger than ${LARGEST_FILE_BYTES} bytes`);
    const buffer = Buffer.alloc(LARGEST_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > LARGEST_FILE_BYTES) throw new Error(`is larger than ${LARGEST_FILE_BYTES} bytes`);
    }
    return { text: buffer.toString('utf8', 0, length), mode: stat.mode };
  } finally {
    await file.close();
  }
}

export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'ELOOP') return 'is a loop of symbolic links';
  return error instanceof Error ? error.message : String(error);
}
