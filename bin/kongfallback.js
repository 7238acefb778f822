#!/usr/bin/env node
import module from 'node:module';

// Node >= 22.8: keeps V8's code cache between starts, so that a bootstrap starts faster.
module.enableCompileCache?.();
const { main } = await import('../dist/cli/cli.js');
process.exit(await main(process.argv.slice(2)));
