import { afterAll, describe, expect, it } from 'vitest';
import { checkRun } from '../../fuzz/check-run.ts';
import { fuzz } from '../../fuzz/fuzz.ts';
import type { FuzzTarget } from '../../fuzz/fuzz-target.ts';
import { kept } from '../../fuzz/kept.ts';
import { TARGETS } from '../../fuzz/targets/index.ts';

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (name, target) => {
  afterAll(() => target.close?.());

  it('takes its corpus, and what once broke it', async () => {
    const inputs = [...(await target.corpus()), ...kept(name).map(({ bytes }) => bytes)];
    expect(inputs.length).toBeGreaterThan(1);
    for (const bytes of inputs) await checkRun(target, bytes);
  });
});

describe('the engine', () => {
  const broken = (fails: (text: string) => boolean): FuzzTarget => ({
    name: 'broken',
    dictionary: ['magic'],
    corpus: () => [Buffer.from('some seed of a decoder')],
    run: (bytes) => {
      if (fails(bytes.toString('latin1'))) throw new TypeError('broken');
    },
  });

  it.each<[string, (text: string) => boolean]>([
    ['a word of the dictionary', (text) => text.includes('magic')],
    ['a cut', (text) => text === 'some seed of a deco'],
    ['a high bit', (text) => text.includes('\u00e5')],
    ['something twice', (text) => text.split('decoder').length > 2],
    ['size', (text) => text.length > 10_000],
  ])('finds what breaks at %s', async (_, fails) => {
    const { findings } = await fuzz(broken(fails), { seed: 1, goOn: (runs) => runs < 20_000 });
    expect(findings).toHaveLength(1);
  });

  it('makes the same inputs of the same seed', async () => {
    const seen = async (seed: number) => {
      const inputs: string[] = [];
      const target = {
        ...broken(() => false),
        run: (bytes: Buffer) => void inputs.push(bytes.toString('hex')),
      };
      await fuzz(target, { seed, goOn: (runs) => runs < 200 });
      return inputs;
    };
    expect(await seen(7)).toEqual(await seen(7));
    expect(await seen(7)).not.toEqual(await seen(8));
  });

  it('names what is left in a prototype', async () => {
    const target = {
      ...broken(() => false),
      run: () => void Object.assign(Object.prototype, { polluted: 1 }),
    };
    try {
      await expect(checkRun(target, Buffer.alloc(0))).rejects.toThrow('Object.prototype');
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
  });
});
