import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { main } from '../../../src/cli.ts';
import type { Head } from '../../../src/snapshot/head.ts';
import { Signer } from '../../../src/snapshot/keys.ts';
import { encodeSignedHead } from '../../../src/snapshot/snapshot-store.ts';
import type { Site } from '../../e2e/site.ts';
import { sampleHead } from '../snapshot/sample-head.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: () => Record<string, unknown>;
}

/** A command line in this very process. */
export async function run(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const code = await main(argv, {
    cwd,
    env,
    terminal: false,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> };
}

/** A head as an exporter of that site would have written it just now, in a folder of the site. */
export function writeHead(site: Site, changes: Partial<Head> = {}, store = 'store'): void {
  const now = new Date().toISOString();
  const head = sampleHead({ cluster: 'e2e', aliveAt: now, confirmedAt: now, ...changes });
  const path = join(site.directory, store, '3.9.3', 'head.json');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodeSignedHead(head, [new Signer(site.signingKey, 'signing.privateKey')]));
}

export const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
