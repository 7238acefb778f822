// Preloaded into a process whose peak memory is wanted: one line on standard error as it ends.
import { writeSync } from 'node:fs';

process.on('exit', () => writeSync(2, `\nmaxRSS ${process.resourceUsage().maxRSS}\n`));
