import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * A small file of the cache. No link is followed, no named pipe is waited for, and no more is read than may be there,
 * whatever its size says.
 *
 * @throws a plain Error that says why, or the system's
 */
export async function readSmall(path: string, maxBytes: number): Promise<Uint8Array> {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('it is not a file');
    if (found.size > maxBytes) throw new Error(`it has ${found.size} bytes`);
    const buffer = Buffer.alloc(found.size);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}
