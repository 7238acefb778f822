// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { refersElsewhere, resolveReferences } from '../../../src/config/references.ts';
import { folderWith } from './folder.ts';

const env = { NAME: 'value', EMPTY: '', NESTED: '${env:NAME}' };
const resolve = (text: string, baseDirectory = '/nowhere') => resolveReferences(text, { env, baseDirectory });

describe('refused, naming the variable or the file and never a value', () => {
  test.each([
    ['${env:MISSING}', 'the environment variable MISSING is not set'],
    ['${env:EMPTY}', 'the environment variable EMPTY is empty'],
    ['${file:gone}', 'the file /nowhere/gone does not exist'],
    ['${file:/}', 'the file / is a folder, not a file'],
    ['${env:}', 'expected ${env:NAME} or ${file:PATH}'],
    ['pass${word}', 'a literal ${ is written $${'],
    ['pass${word', 'a reference is not closed'],
    ['${env:NAME', 'a reference is not closed'],
    ['${vault:x}', 'expected ${env:NAME}'],
    ['${}', 'expected ${env:NAME}'],
  ])('%s', async (text, message) => {
    await expect(resolve(text)).rejects.toThrow(message);
    await expect(resolve(text)).rejects.not.toThrow('word');
  });

  test('empty, endless, hanging and too large files', async () => {
    const folder = folderWith({ empty: ' \n', large: 'x'.repeat(1_048_577) });
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    await expect(resolve('${file:empty}', folder)).rejects.toThrow('is empty');
    await expect(resolve('${file:large}', folder)).rejects.toThrow('is larger than');
    await expect(resolve('${file:fifo}', folder)).rejects.toThrow('is not a regular file');
    await expect(resolve('${file:/dev/zero}', folder)).rejects.toThrow('is not a regular file');
  });
});

test.each([
  ['plain $ and {}', 'plain $ and {}'],
  ['a ${env:NAME} b ${env:NAME}', 'a value b value'],
  ['$${env:NAME}', '${env:NAME}'],
  ['$$${env:NAME}', '$${env:NAME}'],
  ['$${ ${env:NAME}', '${ value'],
  ['$${unclosed', '${unclosed'],
])('%s', async (text, expected) => {
  expect((await resolve(text)).text).toBe(expected);
});

test('what is put in is not looked at again', async () => {
  expect(await resolve('${env:NESTED}')).toMatchObject({ text: '${env:NAME}', parts: ['${env:NAME}'] });
});

test('one newline at the end of a file is not part of it', async () => {
  const folder = folderWith({ a: 'x\n', b: 'x\r\n', c: 'x\n\n', d: '\nx' });
  expect((await resolve('${file:a}|${file:b}|${file:c}|${file:d}', folder)).text).toBe('x|x|x\n|\nx');
});

test('an escape refers nowhere', () => {
  expect(refersElsewhere('$${env:NAME}')).toBe(false);
  expect(refersElsewhere('$${ ${env:NAME}')).toBe(true);
});
