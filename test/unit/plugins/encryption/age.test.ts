import { createHash, randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import age from '../../../../plugins/encryption/age/index.ts';
import type { Encryption } from '../../../../src/plugin/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

const CONTEXT = Buffer.from('context');
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const options = { signal: new AbortController().signal };
const create = async (recipients: string[], identities: string[]) =>
  (await age.create({ recipients, identities }, pluginContext())) as Encryption;
const validate = async (settings: unknown) => age.settings['~standard'].validate(settings);
const idOf = (text: string) =>
  createHash('sha256').update(`kongfallback age recipient id\n${text}`).digest('hex').slice(0, 16);

async function* pieces(...given: Uint8Array[]) {
  yield* given;
}

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

describe('age: settings', () => {
  it.each([
    ['neither recipients nor identities', {}],
    ['empty lists', { recipients: [], identities: [] }],
    ['an identity among the recipients', { recipients: [identity] }],
    ['a recipient among the identities', { identities: [recipient] }],
    ['an SSH key', { recipients: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ'] }],
    ['a passphrase', { recipients: [recipient], identities: ['correct horse battery staple'] }],
    ['17 recipients', { recipients: Array.from({ length: 17 }, () => recipient) }],
    ['an unknown setting', { recipients: [recipient], recipient }],
  ])('refuses %s, without repeating an identity', async (_, settings) => {
    const { issues } = await validate(settings);
    expect(issues?.length).toBeGreaterThan(0);
    expect(JSON.stringify(issues)).not.toMatch(/horse|AGE-SECRET-KEY-1[A-Z0-9]{20}/);
  });

  it('takes an identity as a file ends it', async () => {
    expect(await validate({ identities: [`${identity}\n`] })).toMatchObject({
      value: { identities: [identity] },
    });
  });

  it('marks its identities as secret, and not its recipients', () => {
    const schema = age.settings['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
    expect(schema).toMatchObject({ properties: { identities: { secret: true, items: { secret: true } } } });
    expect(schema).not.toMatchObject({ properties: { recipients: { secret: true } } });
  });

  it('says which key is mistyped, and never the identity', async () => {
    const mistyped = (text: string) =>
      `${text.slice(0, -1)}${text.endsWith('Q') || text.endsWith('q') ? (text.at(-1) === 'Q' ? 'P' : 'p') : text === text.toUpperCase() ? 'Q' : 'q'}`;
    expect(await errorOf(() => create([recipient, mistyped(recipient)], []))).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('recipients[1]'),
    });
    const error = await errorOf(() => create([], [mistyped(identity)]));
    expect(error).toMatchObject({ kind: 'invalid', message: expect.stringContaining('identities[0]') });
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain('AGE-SECRET-KEY-1Q');
    expect(error.message).not.toContain(mistyped(identity));
  });
});

describe('age: who can do what', () => {
  it('with recipients alone seals, and does not open what it sealed', async () => {
    const exporter = await create([recipient], []);
    const sealed = await whole(exporter.seal(pieces(Buffer.from('document')), CONTEXT, options));
    expect(await errorOf(() => whole(exporter.open(pieces(sealed), CONTEXT, options)))).toMatchObject({
      kind: 'denied',
      hint: expect.stringContaining('identities'),
    });
    const reader = await create([], [identity]);
    expect((await whole(reader.open(pieces(sealed), CONTEXT, options))).toString()).toBe('document');
  });

  it('with identities alone does not seal', async () => {
    const reader = await create([], [identity]);
    expect(await errorOf(() => whole(reader.seal(pieces(Buffer.from('x')), CONTEXT, options)))).toMatchObject(
      {
        kind: 'invalid',
        hint: expect.stringContaining('recipients'),
      },
    );
  });

  it('names whom it was sealed for when that is somebody else', async () => {
    const other = await generateX25519Identity();
    const sealed = await whole(
      (await create([recipient], [])).seal(pieces(Buffer.from('x')), CONTEXT, options),
    );
    const error = await errorOf(async () =>
      whole((await create([], [other])).open(pieces(sealed), CONTEXT, options)),
    );
    expect(error).toMatchObject({ kind: 'denied' });
    expect(error.message).toContain(idOf(recipient));
    expect(error.message).toContain(idOf(await identityToRecipient(other)));
  });

  it('seals for several, each of whom opens', async () => {
    const offline = await generateX25519Identity();
    const sealer = await create([recipient, await identityToRecipient(offline)], []);
    const sealed = await whole(sealer.seal(pieces(Buffer.from('for both')), CONTEXT, options));
    for (const one of [identity, offline]) {
      const opened = await whole((await create([], [one])).open(pieces(sealed), CONTEXT, options));
      expect(opened.toString()).toBe('for both');
    }
  });
});

describe('age: streams', () => {
  it('does not collect a header that does not end', async () => {
    const reader = await create([], [identity]);
    let given = 0;
    const endless = async function* () {
      yield Buffer.from('age-encryption.org/v1\n');
      for (;;) {
        given += 65_536;
        yield Buffer.alloc(65_536, 0x61);
      }
    };
    expect(await errorOf(() => whole(reader.open(endless(), CONTEXT, options)))).toMatchObject({
      kind: 'corrupt',
    });
    expect(given).toBeLessThan(512 * 1024);
  });

  it('gives the sealed bytes of a large document before it has taken all of it', async () => {
    const sealer = await create([recipient], []);
    let taken = 0;
    const large = async function* () {
      for (let piece = 0; piece < 64; piece++) {
        taken += 2 ** 20;
        yield randomBytes(2 ** 20);
      }
    };
    let given = 0;
    let ahead = 0;
    for await (const piece of sealer.seal(large(), CONTEXT, options)) {
      given += piece.length;
      ahead = Math.max(ahead, taken - given);
    }
    expect(given).toBeGreaterThan(64 * 2 ** 20);
    expect(ahead).toBeLessThan(2 * 2 ** 20);
  });

  it('passes on why the sealed bytes stopped coming', async () => {
    const sealer = await create([recipient], [identity]);
    const sealed = await whole(sealer.seal(pieces(Buffer.alloc(200_000)), CONTEXT, options));
    for (const length of [10, 100_000]) {
      const broken = async function* () {
        yield sealed.subarray(0, length);
        throw Object.assign(new Error('the connection broke'), { kind: 'unavailable' });
      };
      expect(await errorOf(() => whole(sealer.open(broken(), CONTEXT, options)))).toMatchObject({
        kind: 'unavailable',
        message: 'the connection broke',
      });
    }
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const sealer = await create([recipient], [identity]);
    const endless = async function* () {
      for (;;) yield Buffer.alloc(65_536);
    };
    const reason = Object.assign(new Error('stopped'), { kind: 'aborted' });
    const error = await errorOf(async () => {
      for await (const _ of sealer.seal(endless(), CONTEXT, { signal: stop.signal })) stop.abort(reason);
    });
    expect(error).toBe(reason);
  });
});
