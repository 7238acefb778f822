import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { recordedDocument, recordedFile } from '../stand-in/frames.ts';
import { type KongInstallation, kongInstallation } from './environment.ts';

const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export interface FakeCall {
  readonly args: readonly string[];
  /** Every KONG_ variable. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A folder with a `kong` that is none, as an operator's shell would name it. */
export class FakeInstallation {
  readonly directory = mkdtempSync(join(tmpdir(), 'kongfallback-fake-kong-'));

  static async create(): Promise<FakeInstallation> {
    const fake = new FakeInstallation();
    await build({
      entryPoints: [fileURLToPath(new URL('./fake-kong.ts', import.meta.url))],
      outfile: join(fake.directory, 'fake-kong.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['kongfallback-source', 'node'],
      banner: { js: BANNER },
      logLevel: 'error',
    });
    fake.#program(`exec '${process.execPath}' '${fake.directory}/fake-kong.mjs' '${fake.directory}' "$@"`);
    writeFileSync(join(fake.directory, 'document.json'), recordedDocument('mixed'));
    for (const name of ['cold', 'warm'])
      writeFileSync(join(fake.directory, `${name}.mdb`), gunzipSync(recordedFile(`lmdb/${name}.mdb.gz`)));
    return fake;
  }

  /** @param env over that of the operator */
  installation(env: Readonly<Record<string, string>> = {}): KongInstallation {
    const found = kongInstallation({
      PATH: process.env['PATH'],
      KONG_BIN: join(this.directory, 'kong'),
      PGDATABASE: 'kong_test',
      ...env,
    });
    if (typeof found === 'string') throw new Error(found);
    return found;
  }

  calls(command: string): FakeCall[] {
    return readFileSync(join(this.directory, 'calls'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as FakeCall)
      .filter(({ args }) => args.join(' ').startsWith(command));
  }

  /** From now on it does something else. */
  does(script: string): void {
    this.#program(script);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #program(script: string): void {
    const path = join(this.directory, 'kong');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
}
