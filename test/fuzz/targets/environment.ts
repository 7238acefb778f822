import { readEnvironment } from '../../../src/config/environment.ts';
import { layTree, readFlags } from '../../../src/config/layers.ts';
import { settingsJsonSchema } from '../../../src/config/schema.ts';
import { SchemaOutline } from '../../../src/config/schema-outline.ts';
import type { FuzzTarget } from '../fuzz-target.ts';

const outline = new SchemaOutline(settingsJsonSchema());
/** Each name that matches nothing is compared with every setting; a real environment holds a few hundred names. */
const MOST_VARIABLES = 50;

/** Environment variables, a line each, and the same as `--set`. */
export const environment: FuzzTarget = {
  name: 'environment',
  dictionary: [
    'KONGFALLBACK_',
    '__',
    '__0__',
    '__9999__',
    'STORAGES',
    'ENCRYPTION',
    '__PROTO__',
    '____PROTO____',
    'SERVICE_HOST',
    '=',
    '\n',
    'CONSTRUCTOR',
  ],
  corpus: () => [
    Buffer.from(
      'KONGFALLBACK_EXPORT__DELAY_SECONDS=5\nKONGFALLBACK_STORAGES__0__BUCKET=b\nKONGFALLBACK_STORAGES__0__USE=s3',
    ),
    Buffer.from(
      'KONGFALLBACK_SERVICE_HOST=10.0.0.1\nKONGFALLBACK_PORT_80_TCP_ADDR=x\nKONGFALLBACK_ENCRYPTION__KEYS__0=k',
    ),
    Buffer.from('storages[0].bucket=b\nexport.delaySeconds=5\nbootstrap.target.path=x'),
  ],
  run(bytes) {
    const pairs = bytes
      .toString('utf8')
      .split('\n')
      .slice(0, MOST_VARIABLES)
      .map((line) => {
        const at = line.indexOf('=');
        return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
      });
    const given = Object.fromEntries(pairs) as Record<string, string>;
    for (const read of [readEnvironment(given, outline), readFlags(given)]) {
      layTree([read.assignments], '/');
      if (read.problems.some(({ message }) => message === '')) throw new Error('a problem without words');
    }
  },
};
