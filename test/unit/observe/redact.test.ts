import { describe, expect, it } from 'vitest';
import { Redactor } from '../../../src/observe/index.ts';

const SECRET = 'p1@nt/"ed+sécret&%=';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a secret is blanked', () => {
  it.each([
    ['as it is', SECRET],
    ['in a URL', `http://user:${encodeURIComponent(SECRET)}@host`],
    ['in a URL, with small letters', encodeURIComponent(SECRET).toLowerCase()],
    ['in JSON', JSON.stringify({ SECRET })],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['in base64', base64(SECRET)],
    ['in base64 after one character', base64(`:${SECRET}`)],
    ['in base64 after two', base64(`u:${SECRET}`)],
    ['in base64 with something on both sides', base64(`user:${SECRET}\nmore`)],
    ['in base64 for URLs', Buffer.from(`ab${SECRET}cd`).toString('base64url')],
  ])('%s', (_, text) => {
    const shown = new Redactor([SECRET]).redact(`before ${text} after`);
    expect(shown).toMatch(/^before .*\*\*\*.* after$/);
    // What base64 leaves at the ends is no more than the characters that are mixed with their neighbours.
    expect(shown.length).toBeLessThan('before  after'.length + text.length - 15);
  });

  it('the longer one as a whole', () => {
    expect(new Redactor(['abcdefgh', 'abcdefgh-ijkl']).redact('abcdefgh-ijkl')).toBe('***');
  });
});

it('what is short, or not known, stays', () => {
  const { redact } = new Redactor(['abc', ' \n', '']);
  expect(redact('abc and more')).toBe('abc and more');
  expect(new Redactor().redact(SECRET)).toBe(SECRET);
});

it('what is learnt later is blanked by whoever holds `redact`, and what was known before as well', () => {
  const redactor = new Redactor(['the former key']);
  const { redact } = redactor;
  redactor.learn(['the new key', 'the former key']);
  expect(redact('the former key, the new key')).toBe('***, ***');
});

it('characters that mean something in a pattern mean themselves', () => {
  expect(new Redactor(['a.c*[x]$^(y)']).redact('abcccx a.c*[x]$^(y)')).toBe('abcccx ***');
});
