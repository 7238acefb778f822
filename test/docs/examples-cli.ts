// The command line from its sources, for tests that run before anything is built.
import { main } from '../../src/cli.ts';

process.exitCode = await main(process.argv.slice(2));
