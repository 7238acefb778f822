#!/usr/bin/env node
import module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// Node >= 22.8 keeps V8's code cache between starts itself.
module.enableCompileCache?.();
const { bundleIn } = createRequire(import.meta.url)('./load-bundle.cjs');
const { main } = bundleIn(fileURLToPath(new URL('../dist/cli', import.meta.url))).load('cli.cjs');
process.exit(await main(process.argv.slice(2)));
