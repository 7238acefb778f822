// Holds the code against the import rule. A checker that understood nothing would find nothing wrong, so it must
// have seen the modules, and must find a violation that is planted for it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import rules from '../.dependency-cruiser.cjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const tsConfig = extractTSConfig('tsconfig.json');

async function check(places) {
  const { forbidden, options } = rules;
  const { output } = await cruise(places, { ...options, ruleSet: { forbidden }, validate: true }, undefined, {
    tsConfig,
  });
  return output;
}

const planted = mkdtempSync(`${root}src/errors/planted-`);
let found;
try {
  writeFileSync(
    `${planted}/violation.ts`,
    "import '../../plugin/index.ts';\nimport '../../export/pipeline.ts';\n",
  );
  found = await check([relative(root, planted)]);
} finally {
  rmSync(planted, { recursive: true });
}
if (!found.summary.violations.some(({ rule }) => rule.name === 'ground-imports-ground')) {
  console.error('import rule: the planted violation was not found, so nothing is being checked');
  process.exit(1);
}

const { summary, modules } = await check(['src', 'plugins']);
const own = modules.filter(({ source }) => /^(src|plugins)\//.test(source));
const edges = own.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
if (own.length === 0 || edges === 0) {
  console.error('import rule: no modules were seen, so nothing was checked');
  process.exit(1);
}
for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`);
console.log(`import rule: ${own.length} modules, ${edges} imports, ${summary.violations.length} violations`);
process.exit(summary.violations.length === 0 ? 0 : 1);
