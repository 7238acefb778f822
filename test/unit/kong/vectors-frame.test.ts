import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { peekFrame, readFrame } from '../../../src/kong/index.ts';

interface FrameVector {
  readonly what: string;
  readonly expect: string;
  readonly gzip: string;
  readonly maxMessageBytes?: number;
  readonly document?: string;
}

const root = new URL('../../fixtures/vectors/frames/', import.meta.url);
const all = readdirSync(root).map(
  (file) =>
    [
      file.replace('.json', ''),
      JSON.parse(readFileSync(new URL(file, root), 'utf8')) as FrameVector,
    ] as const,
);

describe('frame vectors', () => {
  it('are all there', () => expect(all.length).toBeGreaterThanOrEqual(20));

  it.each(all)('%s', (_, { document, expect: code, gzip, maxMessageBytes }) => {
    const frame = Buffer.from(gzip, 'base64');
    const before = process.resourceUsage().maxRSS;
    const read = () => readFrame(frame, maxMessageBytes === undefined ? {} : { maxMessageBytes });
    expect(() => peekFrame(frame)).not.toThrow();
    if (code === 'ok') expect(Buffer.from(read().document).toString()).toBe(document);
    else expect(read).toThrow(expect.objectContaining({ code, hint: expect.any(String) }));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(process.resourceUsage().maxRSS - before, 'KiB').toBeLessThan(150 * 1024);
  });
});
