// Builds the CLI bundle (dist/cli) and, without --cli, the library with its types (dist/src, dist/plugins).
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const cliOnly = process.argv.includes('--cli');

const fresh = `dist/.cli-${process.pid}`;
await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/cli.ts', 'prepare-worker': 'src/composition/prepare-worker.ts' },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // cosmiconfig requires typescript only for .ts settings, which are never loaded.
  external: ['typescript'],
  mainFields: ['module', 'main'],
  conditions: ['kongfallback-source', 'module', 'node'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  banner: {
    js: "import{createRequire as kfCreateRequire}from'node:module';const require=kfCreateRequire(import.meta.url);",
  },
});

// Swapped in whole: a command that runs meanwhile finds its chunks or a clear absence, never half of two builds.
rmSync(`${root}dist/cli`, { recursive: true, force: true });
renameSync(`${root}${fresh}`, `${root}dist/cli`);

if (!cliOnly) {
  rmSync(`${root}dist/src`, { recursive: true, force: true });
  rmSync(`${root}dist/plugins`, { recursive: true, force: true });
  const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exit(tsc.status ?? 1);
}
