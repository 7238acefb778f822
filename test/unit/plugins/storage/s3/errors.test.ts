import { strict as assert } from 'node:assert';
import { pluginContext } from 'kongfallback/testing';
import { test } from 'vitest';
import { s3Error } from '../../../../../plugins/storage/s3/errors.ts';

const signal = new AbortController().signal;
const mapped = (error: unknown) =>
  s3Error(pluginContext(), error, 'fallback', signal) as Error & { kind: string; hint?: string };

const thrown: readonly (readonly [string, object, string, RegExp])[] = [
  ['name not resolved', { code: 'ENOTFOUND' }, 'unavailable', /DNS/],
  ['resolver away', { code: 'EAI_AGAIN' }, 'unavailable', /DNS/],
  ['refused', { code: 'ECONNREFUSED' }, 'unavailable', /reachable/],
  ['expired certificate', { code: 'CERT_HAS_EXPIRED' }, 'denied', /caFile/],
  ['own certificate', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'denied', /caFile/],
  ['unknown issuer', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, 'denied', /caFile/],
  ['foreign name', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'denied', /name/],
  ['time-out', { name: 'TimeoutError' }, 'unavailable', /load/],
  ['nothing known', {}, 'unavailable', /endpoint/],
];
for (const [name, fields, kind, hint] of thrown) {
  test(`${name}: ${kind}, with a hint`, () => {
    const error = mapped(Object.assign(new Error('text of the SDK'), fields));
    assert.equal(error.kind, kind);
    assert.match(error.hint ?? '', hint);
    assert.doesNotMatch(error.message, /text of the SDK/);
  });
}

test('what a server sends as error name cannot write to the terminal', () => {
  const error = mapped(Object.assign(new Error(''), { name: '\u001b[2Jgone\n\u0007'.repeat(100) }));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  assert.doesNotMatch(error.message, /[\u0000-\u001f]/);
  assert.ok(error.message.length < 200);
});

test('anything thrown after the signal fired is aborted', () => {
  const error = s3Error(pluginContext(), new Error('odd'), 'fallback', AbortSignal.abort());
  assert.equal((error as { kind?: string }).kind, 'aborted');
});
