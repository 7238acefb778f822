// Builds the CLI bundle (dist/cli) and, without --cli, the library with its types (dist/src, dist/plugins).
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeCodeCache } from './code-cache.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const cliOnly = process.argv.includes('--cli');

const fresh = `dist/.cli-${process.pid}`;
// Files of their own: the SDK, which only S3 needs, and what must not come out of a code cache (its comment says why).
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/import-module\.ts$/ }, () => ({ path: './import-module.cjs', external: true }));
    onResolve({ filter: /^@aws-sdk\/client-s3$/ }, () => ({ path: './client-s3.cjs', external: true }));
  },
};
const shared = {
  absWorkingDir: root,
  outdir: fresh,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  conditions: ['kongfallback-source', 'module', 'node'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  // import.meta.resolve stands in code that only the sources reach.
  logOverride: { 'empty-import-meta': 'silent' },
};
const bundled = {
  ...shared,
  // cosmiconfig requires typescript only for .ts settings, which are never loaded.
  external: ['typescript'],
  // Of Node's own modules: a require does the same, also out of a code cache.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'kfUrl' },
  banner: { js: "const kfUrl=require('node:url').pathToFileURL(__filename).href;" },
};
const entryPoints = { cli: 'src/cli.ts', 'prepare-worker': 'src/composition/prepare-worker.ts' };
await build({ ...bundled, entryPoints, plugins: [apart] });
await build({ ...bundled, entryPoints: { 'client-s3': '@aws-sdk/client-s3' } });
await build({ ...shared, entryPoints: { 'import-module': 'src/config/import-module.ts' } });
await writeCodeCache(`${root}${fresh}`);

// Swapped in whole: a command that runs meanwhile finds its files or a clear absence, never half of two builds.
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
