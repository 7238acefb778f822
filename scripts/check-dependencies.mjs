// Every package that an installation brings must be on the list, so that a new one is a decision and not an accident.
import { readFileSync } from 'node:fs';

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const { direct, scopes, transitive } = read('scripts/allowed-dependencies.json');
const manifest = read('package.json');
const lock = read('package-lock.json');

const problems = [];
for (const name of Object.keys(manifest.dependencies ?? {})) {
  if (!(name in direct))
    problems.push(`${name} is a dependency, and has no reason in scripts/allowed-dependencies.json`);
}
for (const name of Object.keys(direct)) {
  if (!(name in (manifest.dependencies ?? {})))
    problems.push(`${name} is allowed, and not a dependency any more`);
}
let seen = 0;
for (const [path, { dev }] of Object.entries(lock.packages)) {
  if (path === '' || dev === true) continue;
  seen++;
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const known =
    name in direct || transitive.includes(name) || scopes.some((scope) => name.startsWith(`${scope}/`));
  if (!known) problems.push(`${name} is installed with the package, and is not on the list`);
}
// An installation of another platform needs its own packages in the lock file; npm leaves out what it cannot find.
for (const [path, { optionalDependencies }] of Object.entries(lock.packages)) {
  for (const name of Object.keys(optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}` in lock.packages;
    if (!nested && !(`node_modules/${name}` in lock.packages))
      problems.push(`${name}, wanted by ${path}, is not in the lock file`);
  }
}
if (seen === 0) problems.push('no packages were seen, so nothing was checked');
for (const problem of problems) console.error(problem);
console.log(
  `dependencies: ${Object.keys(direct).length} direct, ${seen} in all, ${problems.length} problems`,
);
process.exit(problems.length === 0 ? 0 : 1);
