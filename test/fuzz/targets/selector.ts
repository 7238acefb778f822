import { selectSnapshot } from '../../../src/snapshot/select-snapshot.ts';
import { sampleEntry, sampleHead } from '../../unit/snapshot/sample-head.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

const head = sampleHead({
  entries: [
    sampleEntry(),
    sampleEntry({ sequence: 1_762_000_000, configHash: '0123456789abcdef00000000deadbeef' }),
  ],
});

/** SNAPSHOT as an operator, or a script with a variable in it, may give it. */
export const selector: FuzzTarget = {
  name: 'selector',
  dictionary: [
    'current',
    'previous',
    '__proto__',
    'toString',
    '-1',
    '1e9',
    '0x',
    '\u0131',
    '\u001b[31m',
    '../',
  ],
  corpus: () =>
    ['current', 'previous', '1763000000', '0123456789abcdef', '0123456789ABCDEF0', 'x'].map((text) =>
      Buffer.from(text),
    ),
  run(bytes) {
    const entry = refusedOr(() => selectSnapshot(head, bytes.toString('utf8'), 'gateway 3.9.3'));
    if (entry !== undefined && !head.entries.includes(entry)) throw new Error('an entry that is not listed');
  },
};
