import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Site } from './site.ts';

const BIN =
  process.env['KF_TEST_BIN'] ?? fileURLToPath(new URL('../../bin/kongfallback.js', import.meta.url));

/**
 * What Kong does with its prefix: loads KONG_DECLARATIVE_CONFIG at each start, fails without that file, keeps what it
 * has loaded, and leaves an empty store where it has nothing. Says what it does on standard output.
 */
const KONG = `#!/bin/sh
if [ "$1" = version ]; then echo 3.9.3; exit 0; fi
lmdb="$KONG_PREFIX/dbless.lmdb"
echo "kong $* with \${KONG_DECLARATIVE_CONFIG-nothing}"
mkdir -p "$lmdb"
if [ -n "\${KONG_DECLARATIVE_CONFIG-}" ]; then
  if [ ! -r "$KONG_DECLARATIVE_CONFIG" ]; then echo "kong: no such file"; exit 1; fi
  cp "$FAKE_KONG/warm.mdb" "$lmdb/data.mdb"
elif [ ! -e "$lmdb/data.mdb" ]; then
  cp "$FAKE_KONG/cold.mdb" "$lmdb/data.mdb"
fi
if [ "$1" = start ]; then exit "\${FAKE_EXIT:-0}"; fi
for name in TERM INT QUIT HUP USR1 USR2; do
  case $name in TERM|QUIT) action='exit 7' ;; *) action=: ;; esac
  trap "echo kong got $name; $action" $name
done
echo "kong runs as $$"
while :; do read -r _ <"$FAKE_KONG/never"; done
`;

/** A data plane's machine: a prefix, and a `kong` on the path. */
export class FakeKong {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;

  constructor(site: Site) {
    this.directory = join(site.directory, 'fake-kong');
    mkdirSync(this.directory);
    for (const name of ['cold', 'warm']) {
      const capture = new URL(`../fixtures/captures/lmdb/${name}.mdb.gz`, import.meta.url);
      writeFileSync(join(this.directory, `${name}.mdb`), gunzipSync(readFileSync(capture)));
    }
    writeFileSync(join(this.directory, 'kong'), KONG);
    chmodSync(join(this.directory, 'kong'), 0o755);
    this.env = { PATH: `${this.directory}:${process.env['PATH']}`, FAKE_KONG: this.directory };
  }

  /** A prefix of its own for each container. */
  prefix(name: string): { readonly path: string; readonly env: Readonly<Record<string, string>> } {
    const path = join(this.directory, name);
    mkdirSync(path, { recursive: true });
    return { path, env: { ...this.env, KONG_PREFIX: path } };
  }

  /** As a node has it that was configured before. */
  warm(name: string): ReturnType<FakeKong['prefix']> {
    const prefix = this.prefix(name);
    mkdirSync(join(prefix.path, 'dbless.lmdb'), { recursive: true });
    writeFileSync(join(prefix.path, 'dbless.lmdb/data.mdb'), readFileSync(join(this.directory, 'warm.mdb')));
    return prefix;
  }

  isWarm(name: string): boolean {
    const path = join(this.directory, name, 'dbless.lmdb/data.mdb');
    return existsSync(path) && readFileSync(path).equals(readFileSync(join(this.directory, 'warm.mdb')));
  }
}

/** A command line that runs on, with what it says. */
export class Running {
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  output = '';
  readonly #child: ReturnType<typeof spawn>;
  readonly #listeners = new Set<() => void>();

  constructor(site: Site, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [BIN, ...args], {
      cwd: site.directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: site.directory, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const listener of this.#listeners) listener();
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** Resolves once the output matches; rejects when it ends without. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const matched = new Promise<void>((resolve) => {
      const look = () => {
        if (pattern.test(this.output)) resolve();
      };
      this.#listeners.add(look);
      look();
    });
    await Promise.race([matched, this.ended]);
    const match = pattern.exec(this.output);
    if (match === null) throw new Error(`never said ${pattern}:\n${this.output}`);
    return match;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
