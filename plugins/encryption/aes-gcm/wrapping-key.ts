import { createHash } from 'node:crypto';

const HEX = /^[0-9a-fA-F]{64}$/;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/** 32 bytes; surrounding white space is what a file ends with. Undefined for anything else. */
export function parseWrappingKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (HEX.test(trimmed)) return Buffer.from(trimmed, 'hex');
  return BASE64.test(trimmed) ? Buffer.from(trimmed, 'base64') : undefined;
}

/** FORMAT.md §4.2: names a key without revealing it. */
export function wrappingKeyId(key: Uint8Array): string {
  return createHash('sha256').update('kongfallback aes-gcm key id\n').update(key).digest('hex').slice(0, 16);
}
