import { readFileSync } from 'node:fs';
import { encodeBasicInfo } from '../../../src/kong/basic-info.ts';
import { readIntroduction } from '../../../src/relay/stand-in/introduction.ts';
import { describeErrorMessage } from '../../../src/relay/stand-in/node-error.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

const recorded = new URL('../../fixtures/captures/data-plane/basic-info.json', import.meta.url);

/** What a data plane says to the stand-in. */
export const basicInfo: FuzzTarget = {
  name: 'basic-info',
  dictionary: [
    '"type":"basic_info"',
    '"plugins":',
    '[]',
    '{"name":"x"},',
    '"__proto__":',
    'null',
    '{"type":"error","error":{"name":"',
    '\\u001b[2J',
    '\\n',
    '\u2028',
  ],
  corpus: () => [
    readFileSync(recorded),
    encodeBasicInfo({ plugins: ['key-auth', 'cors'], labels: { a: 'b' } }),
    Buffer.from(
      '{"type":"error","error":{"name":"flattened","message":"declarative config is invalid","config_hash":"00"}}',
    ),
  ],
  run(bytes) {
    const introduction = refusedOr(() => readIntroduction(bytes, true));
    if (introduction !== undefined && introduction.plugins.size > 1024) throw new Error('too many plugins');
    for (const text of Object.values(describeErrorMessage(bytes))) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      if (text.length > 200 || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text))
        throw new Error('not fit for a log');
    }
  },
};
