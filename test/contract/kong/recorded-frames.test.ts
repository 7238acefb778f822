import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { peekFrame, readFrame } from '../../../src/kong/frame.ts';
import { recordedDocument, recordedFrame } from '../../stand-in/frames.ts';

const OF_3_9_3 = ['empty/frame-1', 'mixed/frame-1', 'mixed/frame-2', 'noping/frame-1', 'bulk15k/frame-1'];
const DELTA = [1, 2, 3, 4].map((n) => `delta/frame-${n}`);
const OLDER = [
  '3.4.2/frame',
  '3.4.2/frame-rejected',
  '3.5.0/frame',
  '3.5.0/frame-rejected',
  '3.6.1/frame',
  '3.6.1/frame-rich',
  '3.7.1/frame',
  '3.7.1/frame-rich',
  '3.8.1/frame',
  '3.8.1/frame-rich',
];
const ALL = [
  ...[...OF_3_9_3, ...DELTA].map((name) => `control-plane/${name}`),
  ...OLDER.map((name) => `older-versions/${name}`),
];

describe.each(ALL)('%s', (name) => {
  const gzip = recordedFrame(name);
  const whole = JSON.parse(gunzipSync(gzip).toString());
  const frame = readFrame(gzip);

  test('the document is the very bytes of config_table', () => {
    expect(Buffer.from(frame.document).equals(recordedDocument(name))).toBe(true);
    expect(JSON.parse(Buffer.from(frame.document).toString())).toEqual(whole.config_table);
    expect(frame.table).toEqual(whole.config_table);
  });

  test('hash, sub-hashes and timestamp are what the message says', () => {
    expect(frame.configHash).toBe(whole.config_hash);
    expect(frame.hashes).toEqual(whole.hashes);
    expect(frame.timestamp).toBe(whole.timestamp);
  });

  test('a peek tells the truth or nothing', () => {
    const peek = peekFrame(gzip);
    expect([undefined, whole.config_hash]).toContain(peek.configHash);
    expect([undefined, whole.timestamp]).toContain(peek.timestamp);
    expect([undefined, frame.document.length]).toContain(peek.documentLength);
  });
});

test('every recorded frame was looked at', () => expect(ALL).toHaveLength(19));
