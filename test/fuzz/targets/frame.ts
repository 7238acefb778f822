import { peekFrame, readFrame } from '../../../src/kong/frame.ts';
import { encodeFrame, recordedFrame } from '../../stand-in/frames.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

const LIMITS = { maxMessageBytes: 8 * 1024 * 1024 };

/** What arrives on the link, still compressed. */
export const frame: FuzzTarget = {
  name: 'frame',
  corpus: () => [
    recordedFrame('mixed'),
    recordedFrame('empty'),
    recordedFrame('older-versions/3.4.2/frame'),
    encodeFrame({ _format_version: '3.0' }, { gzipLevel: 0 }),
    encodeFrame({ services: [] }, { extra: { kongfallback: 1 } }),
  ],
  run(bytes) {
    peekFrame(bytes);
    refusedOr(() => readFrame(bytes, LIMITS));
  },
};
