import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Waits for the end of its input, kills the group that was named there unless that was done in order, and removes the
 * folder. `$1` is the folder.
 */
const KEEPER = `read -r group; read -r how
[ -z "$group" ] || [ "$how" = done ] || kill -9 "-$group" 2>/dev/null
rm -rf -- "$1"`;

/**
 * The document in a file that only this user reads, in a folder of its own. The thread that validates can be ended at
 * any moment, past its deadline or with the process; a shell that outlives it then removes the file and ends the
 * program, unless that was started in this very instant. Where there is no shell only that is lost.
 */
export class PrivateFile {
  readonly path: string;
  readonly #folder: string;
  readonly #keeper: ReturnType<typeof keep>;

  private constructor(folder: string) {
    this.#folder = folder;
    // The ending tells Kong and others that it is JSON.
    this.path = join(folder, 'kong.json');
    this.#keeper = keep(folder);
  }

  static async create(bytes: Uint8Array): Promise<PrivateFile> {
    const file = new PrivateFile(await mkdtemp(join(tmpdir(), 'kongfallback-validator-')));
    try {
      await writeFile(file.path, bytes, { flag: 'wx', mode: 0o600 });
      return file;
    } catch (error) {
      await file.remove();
      throw error;
    }
  }

  open(): ReturnType<typeof open> {
    return open(this.path, 'r');
  }

  /** This group is to end with the file. */
  isReadBy(group: number): void {
    this.#keeper.stdin.write(`${group}\n`);
  }

  async remove(): Promise<void> {
    this.#keeper.stdin.end('done\ndone\n');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function keep(folder: string) {
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'sh', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  keeper.on('error', () => {});
  keeper.stdin.on('error', () => {});
  keeper.unref();
  return keeper;
}
