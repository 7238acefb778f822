import { createHash } from 'node:crypto';
import { decodeJson } from './json-value.ts';
import type { Signer, Trust } from './keys.ts';
import { LIMITS } from './limits.ts';

const KEY_ID = /^[0-9a-f]{16}$/;
const CHECKSUM = 'sha256';

/** Why an envelope is refused; the caller turns it into an error that names the object. */
export type SignedRefusal =
  | { readonly refused: 'damaged'; readonly why: string }
  | { readonly refused: 'type'; readonly payloadType: string }
  | { readonly refused: 'forged'; readonly keyId: string }
  | { readonly refused: 'unsigned' }
  | { readonly refused: 'untrusted'; readonly keyIds: readonly string[] };

export interface SignedPayload {
  readonly refused?: never;
  readonly payload: Uint8Array;
  /** A key of `trust` signed it. */
  readonly authenticated: boolean;
}

/** FORMAT.md §2. No signer means an unsigned envelope, which still carries its checksum. */
export function encodeSigned(
  payloadType: string,
  payload: Uint8Array,
  signers: readonly Signer[],
): Uint8Array<ArrayBuffer> {
  const pae = preAuthenticationEncoding(payloadType, payload);
  const signatures = signers.map((signer) => ({ keyid: signer.keyId, sig: base64(signer.sign(pae)) }));
  return serialise(payloadType, base64(payload), [
    ...signatures,
    { keyid: CHECKSUM, sig: base64(createHash('sha256').update(pae).digest()) },
  ]);
}

/** Steps 1 to 4 of FORMAT.md §2; the payload is not looked into. */
export function openSigned(
  bytes: Uint8Array,
  expectedType: string,
  trust: Trust,
): SignedPayload | SignedRefusal {
  const parsed = parse(bytes);
  if ('refused' in parsed) return parsed;
  const { payloadType, payload, signatures, checksum } = parsed;
  if (payloadType !== expectedType) return { refused: 'type', payloadType };

  const pae = preAuthenticationEncoding(payloadType, payload);
  if (!createHash('sha256').update(pae).digest().equals(checksum)) {
    return { refused: 'damaged', why: 'its checksum does not match' };
  }
  if (trust.keyIds.length === 0) return { payload, authenticated: false };
  if (signatures.length === 0) return { refused: 'unsigned' };

  const known = signatures.filter(({ keyId }) => trust.has(keyId));
  const forged = known.find(({ keyId, signature }) => !trust.verify(keyId, pae, signature));
  if (forged !== undefined) return { refused: 'forged', keyId: forged.keyId };
  if (known.length > 0) return { payload, authenticated: true };

  // A flipped bit in a key id must not read as "signed by a stranger".
  const damaged = signatures.some(({ signature }) =>
    trust.keyIds.some((keyId) => trust.verify(keyId, pae, signature)),
  );
  if (damaged) return { refused: 'damaged', why: 'a signature stands under a wrong key id' };
  return { refused: 'untrusted', keyIds: signatures.map(({ keyId }) => keyId) };
}

interface ParsedEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly { readonly keyId: string; readonly signature: Uint8Array }[];
  readonly checksum: Uint8Array;
}

function parse(bytes: Uint8Array): ParsedEnvelope | SignedRefusal {
  const damaged = (why: string): SignedRefusal => ({ refused: 'damaged', why });
  if (bytes.length > LIMITS.headEnvelopeBytes) {
    return damaged(`it has more than ${LIMITS.headEnvelopeBytes} bytes`);
  }
  const { payloadType, payload, signatures } = (decodeJson(bytes)?.value ?? {}) as Record<string, unknown>;
  if (typeof payloadType !== 'string' || typeof payload !== 'string' || !Array.isArray(signatures)) {
    return damaged('it is no DSSE envelope');
  }
  if (signatures.length > LIMITS.signatures + 1) return damaged('it has too many signatures');
  const pairs: { keyid: string; sig: string }[] = [];
  for (const item of signatures as unknown[]) {
    const { keyid, sig } = (item ?? {}) as Record<string, unknown>;
    if (typeof keyid !== 'string' || typeof sig !== 'string') return damaged('a signature is malformed');
    pairs.push({ keyid, sig });
  }
  const decoded = Buffer.from(payload, 'base64');
  // One envelope has one encoding: JSON has white space, base64 has slack bits, and both would let a head be
  // changed without changing what was signed.
  const again = serialise(
    payloadType,
    base64(decoded),
    pairs.map(({ keyid, sig }) => ({ keyid, sig: base64(Buffer.from(sig, 'base64')) })),
  );
  if (!Buffer.from(again.buffer).equals(bytes)) return damaged('it is not equal to its own re-encoding');

  const checksum = pairs.pop();
  if (checksum?.keyid !== CHECKSUM) return damaged('it carries no checksum');
  if (pairs.some(({ keyid }) => !KEY_ID.test(keyid))) return damaged('a key id is malformed');
  return {
    payloadType,
    payload: decoded,
    signatures: pairs.map(({ keyid, sig }) => ({ keyId: keyid, signature: Buffer.from(sig, 'base64') })),
    checksum: Buffer.from(checksum.sig, 'base64'),
  };
}

function serialise(
  payloadType: string,
  payload: string,
  signatures: readonly { readonly keyid: string; readonly sig: string }[],
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ payloadType, payload, signatures }));
}

function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `, 'latin1'),
    type,
    Buffer.from(` ${payload.length} `, 'latin1'),
    payload,
  ]);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
