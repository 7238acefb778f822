import type { RandomSource } from './random-source.ts';

/** Where lengths, counters and signs change their meaning. */
const INTERESTING = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];
const MOST_BYTES = 512 * 1024;
const MOST_CHANGES = 6;

type Change = (bytes: Buffer, random: RandomSource, other: Buffer, dictionary: readonly string[]) => Buffer;

const place = (bytes: Buffer, random: RandomSource): number => random.below(bytes.length + 1);

const replaced = (bytes: Buffer, from: number, to: number, by: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)]);

const CHANGES: readonly Change[] = [
  function flipBit(bytes, random) {
    const at = random.below(Math.max(1, bytes.length));
    const flipped = Buffer.from(bytes);
    if (at < bytes.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
    return flipped;
  },
  function anotherByte(bytes, random) {
    const at = place(bytes, random);
    return replaced(bytes, at, at + 1, Uint8Array.of(random.below(256)));
  },
  function cut(bytes, random) {
    return bytes.subarray(0, place(bytes, random));
  },
  function remove(bytes, random) {
    const from = place(bytes, random);
    return replaced(bytes, from, from + 1 + random.below(1 << random.below(10)), Buffer.alloc(0));
  },
  function repeat(bytes, random) {
    const from = place(bytes, random);
    const piece = bytes.subarray(from, from + 1 + random.below(64));
    const times = 1 + random.below(1 << random.below(13));
    return replaced(bytes, from, from, Buffer.concat(Array.from({ length: times }, () => piece)));
  },
  function splice(bytes, random, other) {
    return Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))]);
  },
  function transplant(bytes, random, other) {
    const [at, from] = [place(bytes, random), place(other, random)];
    return replaced(bytes, at, at, other.subarray(from, from + random.below(256)));
  },
  function number(bytes, random) {
    const value = random.pick(INTERESTING);
    const [at, width] = [place(bytes, random), random.pick([1, 2, 4, 8])];
    const field = Buffer.alloc(8);
    if (random.below(2) === 0) field.writeBigUInt64LE(BigInt(value));
    else field.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value) << BigInt(64 - 8 * width)));
    return replaced(bytes, at, at + width, field.subarray(0, width));
  },
  function word(bytes, random, _other, dictionary) {
    const at = place(bytes, random);
    const text = dictionary.length === 0 ? '\0' : random.pick(dictionary);
    return replaced(bytes, at, at + (random.below(2) === 0 ? 0 : text.length), Buffer.from(text));
  },
];

/** One to six changes, drawn from `random`; `other` is another input to take pieces of. */
export function mutate(
  bytes: Buffer,
  other: Buffer,
  dictionary: readonly string[],
  random: RandomSource,
): Buffer {
  let changed = bytes;
  for (let count = 1 + random.below(MOST_CHANGES); count > 0; count--) {
    changed = random.pick(CHANGES)(changed, random, other, dictionary).subarray(0, MOST_BYTES);
  }
  return Buffer.from(changed);
}
