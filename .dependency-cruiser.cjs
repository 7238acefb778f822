// The import rule of ARCHITECTURE.md. Layers from the ground up; a folder may import only from lower ones.
const base = ['errors', 'plugin', 'resilience', 'observe'];
const layers = [
  ['config', 'snapshot', 'kong'],
  ['restore'],
  ['export', 'bootstrap', 'relay', 'status', 'doctor'],
  ['service'],
  ['composition'],
  ['commands'],
];

const folder = (names) => `^src/(${names.join('|')})/`;
const rules = [];
const below = [...base];
for (const layer of layers) {
  for (const name of layer) {
    // Within one layer folders do not import each other, except that the ground (config, snapshot, kong) may.
    const allowed = [...below, name, ...(layer === layers[0] ? layer : [])];
    rules.push({
      name: `${name}-imports-downwards`,
      severity: 'error',
      from: { path: `^src/${name}/`, pathNot: '^src/composition/built-ins\\.ts$' },
      to: { path: '^(src|plugins|test|examples)/', pathNot: folder(allowed) },
    });
  }
  below.push(...layer);
}

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'ground-imports-ground',
      severity: 'error',
      from: { path: folder(base) },
      to: { path: '^(src|plugins|test|examples)/', pathNot: folder(base) },
    },
    {
      name: 'testing-imports-plugin-and-errors',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: { path: '^(src|plugins|test|examples)/', pathNot: folder(['testing', 'plugin', 'errors']) },
    },
    {
      name: 'only-built-ins-names-plugins',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/composition/built-ins\\.ts$' },
      to: { path: '^plugins/' },
    },
    {
      name: 'built-ins-imports-plugins-only',
      severity: 'error',
      from: { path: '^src/composition/built-ins\\.ts$' },
      to: { path: '^src/', pathNot: folder(['plugin', 'composition']) },
    },
    {
      name: 'plugins-are-foreign',
      comment: 'A built-in storage, encryption or validator has no privilege that a foreign one lacks.',
      severity: 'error',
      from: { path: '^plugins/(storage|encryption|validator)/([^/]+)/' },
      to: { path: '^(src|plugins)/', pathNot: ['^plugins/$1/$2/', '^src/plugin/index\\.ts$'] },
    },
    {
      name: 'source-and-target-may-know-kong',
      severity: 'error',
      from: { path: '^plugins/(source|target)/([^/]+)/' },
      to: { path: '^(src|plugins)/', pathNot: ['^plugins/$1/$2/', '^src/(plugin|kong)/index\\.ts$'] },
    },
    {
      name: 'container-only-in-composition',
      severity: 'error',
      from: { path: '^(src|plugins)/', pathNot: '^src/composition/' },
      to: { path: 'node_modules/(tsyringe|reflect-metadata)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^(src|plugins)/' },
      to: { circular: true },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^(src|plugins)/' },
      to: { path: '^(test|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['kongfallback-source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
