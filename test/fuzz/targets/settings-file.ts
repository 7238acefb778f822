import { readFileSync } from 'node:fs';
import { layTree } from '../../../src/config/layers.ts';
import { readSettingsFile } from '../../../src/config/settings-file.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

/** A settings file, up to the tree that the schemas judge. */
export const settingsFile: FuzzTarget = {
  name: 'settings-file',
  dictionary: [
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '!!set ',
    '? ',
    '- ',
    '|2\n',
    '>-\n',
    '%YAML 1.1\n',
    '---\n',
    '"\\x00"',
    '__proto__:',
    'constructor:',
    '{',
    '[',
    '"',
    "'",
    '# ',
    '\t',
    '\r',
    '\u2028',
    '$' + '{env:HOME}',
  ],
  corpus: () => [
    readFileSync(new URL('../../fixtures/settings/design-example.yaml', import.meta.url)),
    Buffer.from('{"cluster": "a", "storages": [{"use": "file", "path": "x"}], "export": {}}'),
    Buffer.from('a: &a [1, 2]\nb: *a\nc: {<<: {d: 1}}\ne: |\n  text\n  text\nf: >-\n  folded\n'),
    Buffer.from(''),
  ],
  run(bytes) {
    const read = refusedOr(() => readSettingsFile('.kongfallbackrc', bytes.toString('utf8')));
    if (read === undefined) return;
    const { tree } = layTree([read.assignments], '/');
    if (tree.leaves().some(({ path }) => tree.get(path) === undefined && path.length === 0))
      throw new Error('no path');
    for (const { path } of read.assignments) read.locate(path);
  },
};
