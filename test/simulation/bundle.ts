import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = fileURLToPath(new URL('worker.ts', import.meta.url));

/**
 * The simulator with the product code in one file, the code of a mutant changed on the way in. Run as a worker from
 * text: nothing is written to disk.
 *
 * @throws Error when a mutant's text is not found exactly once: the code has changed, and the mutant must follow
 */
export async function bundle(mutant?: Mutant): Promise<string> {
  const result = await build({
    entryPoints: [ENTRY],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    conditions: ['kongfallback-source', 'node'],
    logLevel: 'silent',
    plugins: mutant === undefined ? [] : [mutated(mutant)],
  });
  return result.outputFiles[0]?.text ?? '';
}

function mutated({ name, changes }: Mutant): Plugin {
  return {
    name: 'mutant',
    setup({ onLoad }) {
      for (const [file, edits] of Object.entries(changes)) {
        const path = `${ROOT}${file}`;
        onLoad({ filter: new RegExp(`${file.replaceAll('.', '\\.')}$`) }, (args) => {
          if (args.path !== path) return undefined;
          let contents = readFileSync(path, 'utf8');
          for (const [from, to] of edits) {
            if (contents.split(from).length !== 2) {
              throw new Error(`mutant "${name}": ${file} holds this not exactly once:\n${from}`);
            }
            contents = contents.replace(from, () => to);
          }
          return { contents, loader: 'ts' };
        });
      }
    },
  };
}
