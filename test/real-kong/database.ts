import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, runWell, tail } from './command.ts';
import type { KongInstallation } from './environment.ts';

const MIGRATION_MS = 180_000;
/** What `kong migrations list` ends with for a database without Kong's tables. */
const EMPTY = 3;

/** Kong's tables in the database that PGDATABASE names, which must hold none, and holds none afterwards. */
export class KongDatabase {
  readonly #bin: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #prefix: string;
  #isOurs = false;

  constructor({ bin, base, postgres }: KongInstallation) {
    this.#bin = bin;
    this.#prefix = mkdtempSync(join(tmpdir(), 'kongfallback-database-'));
    this.#env = { ...base, ...postgres, KONG_PREFIX: this.#prefix };
  }

  /** @throws Error when somebody's configuration is in it: that one is not touched */
  async create(): Promise<void> {
    const options = { env: this.#env, ms: MIGRATION_MS };
    const { code, output } = await runCommand([this.#bin, 'migrations', 'list'], options);
    const name = this.#env['KONG_PG_DATABASE'];
    if (code !== EMPTY) {
      const why = code === 1 ? 'cannot be used' : "holds a Kong's configuration: name an empty one";
      throw new Error(
        `the database ${name} (PGDATABASE) ${why}; kong migrations list ended with ${code}\n${tail(output)}`,
      );
    }
    this.#isOurs = true;
    await runWell([this.#bin, 'migrations', 'bootstrap'], options);
  }

  async drop(): Promise<void> {
    const options = { env: this.#env, ms: MIGRATION_MS };
    try {
      if (this.#isOurs) await runWell([this.#bin, 'migrations', 'reset', '--yes'], options);
    } finally {
      this.#isOurs = false;
      rmSync(this.#prefix, { recursive: true, force: true });
    }
  }
}
