// The first bytes of a sealed snapshot (FORMAT.md §4.1): which version, and the data key under every wrapping key.
import { decodeJson, JsonValue } from './json-value.ts';
import { CHUNK_BYTES } from './stream-cipher.ts';

export const MAGIC = Uint8Array.of(0x4b, 0x46, 0x53, 0x01);
/** Magic and the header's length. */
export const PREFIX_BYTES = 8;
export const MAX_HEADER_BYTES = 65_536;
export const MAX_WRAPPED_KEYS = 16;
export const MAX_WRAPPED_BYTES = 4096;
export const MAX_KEY_ID_LENGTH = 256;

const MAX_PLUGIN_LENGTH = 128;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The data key as one key-wrap plugin wrapped it. */
export interface HeaderKey {
  readonly plugin: string;
  readonly keyId: string;
  readonly wrapped: Uint8Array;
}

/** Why a header is refused: `damaged` is what no exporter writes, `version` what a later one may. */
export interface HeaderRefusals {
  readonly damaged: (why: string) => Error;
  readonly version: (what: string) => Error;
}

/** Prefix and header. */
export function encodeHeader(keys: readonly HeaderKey[]): Uint8Array<ArrayBuffer> {
  const wrappedKeys = keys.map(({ plugin, keyId, wrapped }) => ({
    plugin,
    keyId,
    wrapped: Buffer.from(wrapped).toString('base64'),
  }));
  const json = Buffer.from(JSON.stringify({ chunkBytes: CHUNK_BYTES, wrappedKeys }), 'utf8');
  const bytes = new Uint8Array(PREFIX_BYTES + json.length);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(4, json.length);
  bytes.set(json, PREFIX_BYTES);
  return bytes;
}

/** The header's length by the first 8 bytes; nothing larger is ever collected. */
export function headerLength(prefix: Uint8Array, refuse: HeaderRefusals): number {
  if (prefix.length < PREFIX_BYTES) throw refuse.damaged('it ends within its header');
  if (MAGIC.subarray(0, 3).some((byte, index) => prefix[index] !== byte)) {
    throw refuse.damaged('it does not begin as a sealed snapshot does');
  }
  if (prefix[3] !== MAGIC[3]) throw refuse.version(`version ${prefix[3]}`);
  const length = new DataView(prefix.buffer, prefix.byteOffset).getUint32(4);
  if (length < 2 || length > MAX_HEADER_BYTES) throw refuse.damaged(`its header claims ${length} bytes`);
  return length;
}

export function decodeHeader(json: Uint8Array, refuse: HeaderRefusals): readonly HeaderKey[] {
  const parsed = decodeJson(json);
  if (parsed === undefined) throw refuse.damaged('its header is not JSON');
  const header = new JsonValue(parsed.value, 'header', refuse.damaged);
  const chunkBytes = header.member('chunkBytes').integer(1, Number.MAX_SAFE_INTEGER);
  if (chunkBytes !== CHUNK_BYTES) throw refuse.version(`chunks of ${chunkBytes} bytes`);
  return header
    .member('wrappedKeys')
    .items(1, MAX_WRAPPED_KEYS)
    .map((key) => ({
      plugin: key.member('plugin').string({ max: MAX_PLUGIN_LENGTH }),
      keyId: key.member('keyId').string({ max: MAX_KEY_ID_LENGTH }),
      wrapped: Buffer.from(
        key.member('wrapped').string({ max: (MAX_WRAPPED_BYTES / 3 + 1) * 4, pattern: BASE64 }),
        'base64',
      ),
    }))
    .map((key) => {
      if (key.wrapped.length <= MAX_WRAPPED_BYTES) return key;
      throw refuse.damaged(`a wrapped key has more than ${MAX_WRAPPED_BYTES} bytes`);
    });
}
