import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peekFrame, readFrame } from '../../../src/kong/frame.ts';
import { encodeFrame, KONG_KEY_ORDER, recordedFrame } from '../../stand-in/frames.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return `${(error as { kind: string }).kind} ${(error as { code: string }).code}`;
  }
  return 'nothing thrown';
};
const message = (text: string) => gzipSync(Buffer.from(text));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('what is refused', () => {
  const good = recordedFrame('control-plane/empty/frame-1');
  const flipped = (at: number) => {
    const copy = Buffer.from(good);
    copy[at] = (copy[at] as number) ^ 0x55;
    return copy;
  };
  const table = '"config_table":{"_format_version":"3.0"}';
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'corrupt KF_FRAME_NOT_GZIP'],
    ['plain JSON', Buffer.from('{"type":"reconfigure"}'), 'corrupt KF_FRAME_NOT_GZIP'],
    ['zlib format', Buffer.from([0x78, 0x9c, 3, 0, 0, 0, 0, 1]), 'corrupt KF_FRAME_NOT_GZIP'],
    ['a gzip header alone', good.subarray(0, 12), 'corrupt KF_FRAME_DAMAGED'],
    ['the last byte missing', good.subarray(0, -1), 'corrupt KF_FRAME_DAMAGED'],
    ['the trailer missing', good.subarray(0, -8), 'corrupt KF_FRAME_DAMAGED'],
    ['half of it', good.subarray(0, good.length / 2), 'corrupt KF_FRAME_DAMAGED'],
    ['a byte behind', Buffer.concat([good, Buffer.from([0])]), 'corrupt KF_FRAME_DAMAGED'],
    ['zeros behind', Buffer.concat([good, Buffer.alloc(600)]), 'corrupt KF_FRAME_DAMAGED'],
    ['two members', Buffer.concat([good, good]), 'corrupt KF_FRAME_DAMAGED'],
    ['an empty member first', Buffer.concat([gzipSync(''), good]), 'corrupt KF_FRAME_DAMAGED'],
    ['a flipped checksum', flipped(good.length - 7), 'corrupt KF_FRAME_DAMAGED'],
    ['a flipped length', flipped(good.length - 4), 'corrupt KF_FRAME_DAMAGED'],
    ['no JSON', message('hello'), 'corrupt KF_FRAME_NOT_JSON'],
    ['an array', message('[1]'), 'corrupt KF_FRAME_NOT_JSON'],
    ['JSON cut short', message(`{"type":"reconfigure",${table}`), 'corrupt KF_FRAME_NOT_JSON'],
    [
      'cut inside the table',
      message('{"type":"reconfigure","config_table":{"a":"}'),
      'corrupt KF_FRAME_NOT_JSON',
    ],
    ['a bracket too many', message(`{"type":"reconfigure",${table}}}`), 'corrupt KF_FRAME_NOT_JSON'],
    ['text behind', message(`{"type":"reconfigure",${table}} x`), 'corrupt KF_FRAME_NOT_JSON'],
    ['a bad member', message(`{"type":"reconfigure",${table},"x":tru}`), 'corrupt KF_FRAME_NOT_JSON'],
    ['a bad member before', message(`{"x":[1,},"type":"reconfigure",${table}}`), 'corrupt KF_FRAME_NOT_JSON'],
    [
      'brackets that do not match',
      message('{"type":"reconfigure","config_table":{"a":[}]}'),
      'corrupt KF_FRAME_NOT_JSON',
    ],
    ['no type', message(`{${table}}`), 'unsupported KF_FRAME_TYPE'],
    ['another type', message('{"type":"error","error":{}}'), 'unsupported KF_FRAME_TYPE'],
    ['no table', message('{"type":"reconfigure"}'), 'corrupt KF_FRAME_NO_TABLE'],
    ['a null table', message('{"type":"reconfigure","config_table":null}'), 'corrupt KF_FRAME_NO_TABLE'],
    ['a list as table', message('{"type":"reconfigure","config_table":[{}]}'), 'corrupt KF_FRAME_NO_TABLE'],
    ['a text as table', message('{"type":"reconfigure","config_table":"{}"}'), 'corrupt KF_FRAME_NO_TABLE'],
    ['two tables', message(`{"type":"reconfigure",${table},${table}}`), 'corrupt KF_FRAME_TWO_TABLES'],
    [
      'two tables, one null',
      message(`{"type":"reconfigure",${table},"config_table":null}`),
      'corrupt KF_FRAME_TWO_TABLES',
    ],
    [
      'two tables, one escaped',
      message(`{"type":"reconfigure",${table},"config\\u005ftable":{}}`),
      'corrupt KF_FRAME_TWO_TABLES',
    ],
    [
      'a nested table only',
      message('{"type":"reconfigure","x":{"config_table":{}}}'),
      'corrupt KF_FRAME_NO_TABLE',
    ],
    [
      '1,500 levels',
      message(`{"type":"reconfigure","config_table":${deep(1500)}}`),
      'unsupported KF_FRAME_TOO_DEEP',
    ],
    [
      '200,000 levels',
      message(`{"type":"reconfigure","config_table":${deep(200_000)}}`),
      'unsupported KF_FRAME_TOO_DEEP',
    ],
    [
      '200,000 levels that never close',
      message(`{"type":"reconfigure","config_table":${'{"a":'.repeat(200_000)}`),
      'corrupt KF_FRAME_NOT_JSON',
    ],
  ])('%s', (_, bytes, expected) => {
    expect(codeOf(() => readFrame(bytes))).toBe(expected);
    expect(() => peekFrame(bytes)).not.toThrow();
  });

  test('a message above the limit, by its trailer or without', () => {
    const bomb = encodeFrame({ padding: 'x'.repeat(100_000) });
    expect(codeOf(() => readFrame(bomb, { maxMessageBytes: 50_000 }))).toBe(
      'unsupported KF_FRAME_EXPANDS_TOO_FAR',
    );
    bomb.writeUInt32LE(10, bomb.length - 4);
    expect(codeOf(() => readFrame(bomb, { maxMessageBytes: 50_000 }))).toBe(
      'unsupported KF_FRAME_EXPANDS_TOO_FAR',
    );
    expect(readFrame(encodeFrame({ padding: 'x'.repeat(100_000) })).document.length).toBe(100_014);
  });

  test('a trailer that claims gigabytes does not make us allocate them', () => {
    const liar = Buffer.from(good);
    liar.writeUInt32LE(0xffffffff, liar.length - 4);
    const before = process.memoryUsage().arrayBuffers;
    expect(codeOf(() => readFrame(liar))).toBe('corrupt KF_FRAME_DAMAGED');
    liar.writeUInt32LE(400_000_000, liar.length - 4);
    expect(codeOf(() => readFrame(liar))).toBe('corrupt KF_FRAME_DAMAGED');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
  });

  test('every flipped bit of a frame is found or harmless', () => {
    const expected = text(readFrame(good).document);
    for (let at = 0; at < good.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const copy = Buffer.from(good);
        copy[at] = (copy[at] as number) ^ (1 << bit);
        try {
          expect(text(readFrame(copy).document)).toBe(expected);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^KF_FRAME_/);
        }
      }
    }
  });
});

describe('what is read', () => {
  test('a value that looks like the member it stands in', () => {
    const trap = {
      name: 'x',
      body: '{"type":"reconfigure","config_table":{"a":"}"}}',
      note: '\\"}},"hashes":{',
    };
    const document = Buffer.from(`{ "plugins" : [ ${JSON.stringify(trap)} ] , "_transform" : false }`);
    for (const keyOrder of permutations([...KONG_KEY_ORDER])) {
      const frame = readFrame(encodeFrame(document, { keyOrder }));
      expect(text(frame.document)).toBe(text(document));
      expect(frame.table['plugins']).toEqual([trap]);
    }
  });

  test('other members, large ones too, before and behind', () => {
    const extra = {
      pad: ['{"config_table":{}}', { deep: { '}': '"' } }, 'x'.repeat(20_000)],
      n: -1.5e3,
      t: true,
    };
    const document = Buffer.from('{"services":[]}');
    for (const keyOrder of [[...KONG_KEY_ORDER], ['config_table', 'type'], ['pad', 'config_table', 'type']]) {
      const frame = readFrame(encodeFrame(document, { keyOrder, extra }));
      expect(text(frame.document)).toBe('{"services":[]}');
    }
  });

  test('white space wherever JSON allows it, and an escaped key', () => {
    const frame = readFrame(
      message(
        ' \n{ "type"\t: "reconfigure" ,\r\n "config\\u005ftable" : { "a" : [ ] } , "timestamp" : 12.5 } \n',
      ),
    );
    expect(text(frame.document)).toBe('{ "a" : [ ] }');
    expect(frame).toMatchObject({ timestamp: 12.5, configHash: null, hashes: null, type: 'reconfigure' });
  });

  test('`__proto__` stays a key of its own', () => {
    const frame = readFrame(
      message(
        '{"type":"reconfigure","hashes":{"__proto__":"x"},"config_table":{"__proto__":{"polluted":1}}}',
      ),
    );
    expect(Object.keys(frame.table)).toEqual(['__proto__']);
    expect(Object.keys(frame.hashes ?? {})).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('bytes that are not valid UTF-8 pass unchanged', () => {
    const document = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xff, 0xe9, 0x80]),
      Buffer.from('"}'),
    ]);
    const frame = readFrame(encodeFrame(document, { configHash: null, hashes: null }));
    expect(Buffer.from(frame.document).equals(document)).toBe(true);
  });

  test('any document in any company comes out byte for byte', () => {
    const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
    const tricky = fc.oneof(
      fc.constantFrom('"config_table":{', '}', '{"a":1}}', '\\', '\\"}', '},":":1,"', '","config_table":{}}'),
      fc.string({ unit: 'binary' }),
    );
    const table = fc.dictionary(tricky, fc.oneof(json, tricky, fc.array(tricky)));
    const spaces = fc.constantFrom(undefined, 1, 2, '\t');
    const orders = fc.shuffledSubarray([...KONG_KEY_ORDER], { minLength: 5 });
    const extras = fc.dictionary(
      fc.string().map((s) => `x-${s}`),
      fc.oneof(json, tricky),
      { maxKeys: 3 },
    );
    fc.assert(
      fc.property(table, spaces, orders, extras, (value, space, keyOrder, extra) => {
        const document = Buffer.from(JSON.stringify(value, null, space));
        const gzip = encodeFrame(document, { keyOrder, extra, configHash: 'h', hashes: {}, gzipLevel: 1 });
        const frame = readFrame(gzip);
        expect(Buffer.from(frame.document).equals(document)).toBe(true);
        expect(frame.table).toEqual(JSON.parse(document.toString()));
        expect(frame.configHash).toBe('h');
      }),
      { numRuns: 500 },
    );
  });

  test('garbage of any kind ends in one of our errors', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '\\',
        ' ',
        'null',
        '1',
        '"type":"reconfigure"',
        '"config_table":',
        '{}',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const raw = parts.join('');
        const result = codeOf(() => readFrame(message(raw)));
        if (result !== 'nothing thrown') expect(result).toMatch(/ KF_FRAME_/);
        else expect(JSON.parse(raw).config_table).toBeTypeOf('object');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('peek', () => {
  test('tells hash and length where the table comes last', () => {
    const gzip = recordedFrame('control-plane/mixed/frame-1');
    const frame = readFrame(gzip);
    expect(peekFrame(gzip)).toEqual({
      configHash: 'efc54e13b9dcea24a87f55f3ba401936',
      timestamp: 1795258925.626,
      documentLength: frame.document.length,
    });
  });

  test('tells nothing where the table comes first', () => {
    expect(peekFrame(recordedFrame('control-plane/bulk15k/frame-1'))).toEqual({});
  });

  test('tells no length where a member may follow the table', () => {
    const gzip = encodeFrame(
      { a: 1 },
      { keyOrder: ['config_hash', 'type', 'config_table', 'timestamp', 'hashes'] },
    );
    expect(Object.keys(peekFrame(gzip))).toEqual(['configHash']);
  });

  test('a bomb is not inflated', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(peekFrame(gzipSync(Buffer.alloc(200_000_000, 0x20), { level: 9 }))).toEqual({});
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(250_000_000);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

test('the recorded frames are gzip of what is read here', () => {
  const gzip = recordedFrame('control-plane/empty/frame-1');
  expect(JSON.parse(gunzipSync(gzip).toString()).config_table).toEqual(readFrame(gzip).table);
});
