import { readdirSync, readFileSync } from 'node:fs';
import { Trust } from '../../../src/snapshot/keys.ts';
import { type OpenedHead, openSignedHead } from '../../../src/snapshot/signed-head.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

const folder = new URL('../../fixtures/vectors/heads/', import.meta.url);
const vectors = () =>
  readdirSync(folder).map(
    (name) =>
      JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
        expect: string;
        bytes: string;
        publicKeys: string[];
      },
  );
const LINE = { cluster: 'production', gatewayVersion: '3.9.3' };

let trusts: { none: Trust; ours: Trust; signed: ReadonlySet<string> } | undefined;
function trusted() {
  if (trusts !== undefined) return trusts;
  const all = vectors();
  const ours = all.flatMap(({ publicKeys }) => publicKeys);
  const signed = all.flatMap(({ bytes }) => {
    const [, payload] = /"payload":"([^"]*)"/.exec(Buffer.from(bytes, 'base64').toString('latin1')) ?? [];
    return payload ?? [];
  });
  trusts = { none: new Trust([]), ours: new Trust([...new Set(ours)]), signed: new Set(signed) };
  return trusts;
}

/** The object as it lies in a store, by a reader with keys and by one without. */
export const head: FuzzTarget = {
  name: 'head',
  dictionary: [
    '"payloadType":',
    '"signatures":',
    '"keyid":"sha256"',
    '{"keyid":"","sig":""}',
    '==',
    'v2+json',
    '__proto__',
    '\\u0061',
  ],
  // Those that hold something else than an envelope, too: what a store answers.
  corpus: () =>
    vectors()
      .map(({ bytes }) => Buffer.from(bytes, 'base64'))
      .filter(({ length }) => length < 100_000),
  run(bytes) {
    const { none, ours, signed } = trusted();
    const open = (trust: Trust) => refusedOr<OpenedHead>(() => openSignedHead(bytes, LINE, trust, 'a head'));
    const opened = open(ours);
    open(none);
    if (opened === undefined) return;
    if (!opened.authenticated) throw new Error('opened with keys, and not authenticated');
    if (!signed.has((JSON.parse(bytes.toString()) as { payload: string }).payload)) throw new Error('forged');
    if (Buffer.compare(Buffer.from(JSON.stringify(JSON.parse(bytes.toString()))), bytes) !== 0)
      throw new Error('a second encoding of a head was taken');
  },
};
