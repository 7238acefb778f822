import { crc32, inflateRawSync } from 'node:zlib';
import { FallbackError } from '../errors/index.ts';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** Deflate expands at most so many times. A trailer that claims more was not written with these bytes. */
const MAX_RATIO = 1032;
/** Typical configurations compress 3:1 to 22:1; above this the output grows in steps instead of at once. */
const TRUSTED_RATIO = 32;

/** Bytes of the uncompressed message modulo 4 GiB, as the gzip trailer claims. A hint, nothing more. */
export function claimedLength(gzip: Uint8Array): number {
  return gzip.length < HEADER_BYTES + TRAILER_BYTES ? 0 : view(gzip).getUint32(gzip.length - 4, true);
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/**
 * Inflates exactly one gzip member that fills `gzip` to its last byte; a data plane closes the link on anything
 * after it, so we refuse it too.
 *
 * @param maxBytes bound of the output; memory never grows much beyond it, whatever the input claims
 * @throws FallbackError `corrupt` KF_FRAME_NOT_GZIP, KF_FRAME_DAMAGED; `unsupported` KF_FRAME_EXPANDS_TOO_FAR
 */
export function gunzipExactly(gzip: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  if (!isGzip(gzip)) throw notGzip(gzip);
  const start = headerLength(gzip);
  if (gzip.length < start + TRAILER_BYTES) throw damaged('it ends inside its own header');
  if (claimedLength(gzip) > gzip.length * MAX_RATIO) throw damaged('it is cut, or its trailer is damaged');
  if (claimedLength(gzip) > maxBytes) throw tooLarge(maxBytes);
  const { buffer, consumed } = inflate(gzip.subarray(start), gzip.length, claimedLength(gzip), maxBytes);
  const end = start + consumed;
  if (end + TRAILER_BYTES !== gzip.length) {
    throw damaged(`${gzip.length - end - TRAILER_BYTES} bytes follow its end`);
  }
  if (claimedLength(gzip) !== buffer.length) throw damaged('its length does not match its trailer');
  if (view(gzip).getUint32(end, true) !== crc32(buffer)) throw damaged('its checksum does not match');
  return buffer;
}

function inflate(
  deflated: Uint8Array,
  frameBytes: number,
  claimed: number,
  maxBytes: number,
): { buffer: Uint8Array<ArrayBuffer>; consumed: number } {
  const room = Math.max(1024, Math.min(claimed, frameBytes * TRUSTED_RATIO, maxBytes) + 64);
  try {
    // With `info` zlib also tells how much of the input it used, which the types do not know.
    const done = inflateRawSync(deflated, {
      info: true,
      chunkSize: room,
      maxOutputLength: maxBytes,
    } as object) as unknown as { buffer: Buffer<ArrayBuffer>; engine: { bytesWritten: number } };
    return { buffer: done.buffer, consumed: done.engine.bytesWritten };
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw damaged((error as Error).message, error);
  }
}

/** RFC 1952: optional fields after the ten fixed bytes. Kong writes none, other encoders do. */
function headerLength(gzip: Uint8Array): number {
  const flags = gzip[3] ?? 0;
  let at = HEADER_BYTES;
  if (flags & 4) at += 2 + (gzip[at] ?? 0) + ((gzip[at + 1] ?? 0) << 8);
  for (const named of [8, 16]) {
    if (!(flags & named)) continue;
    const zero = gzip.indexOf(0, at);
    if (zero < 0) throw damaged('it ends inside its own header');
    at = zero + 1;
  }
  return flags & 2 ? at + 2 : at;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function notGzip(bytes: Uint8Array): FallbackError {
  return new FallbackError(
    'corrupt',
    'KF_FRAME_NOT_GZIP',
    `the received frame of ${bytes.length} bytes is not gzip`,
    {
      hint: 'Is the address that of the control plane (cluster_listen)? Its configuration frames are always gzip.',
    },
  );
}

function damaged(why: string, cause?: unknown): FallbackError {
  return new FallbackError(
    'corrupt',
    'KF_FRAME_DAMAGED',
    `the received frame is not one whole gzip member: ${why}`,
    {
      hint: 'Nothing was published. Try again; if it goes on, look for something between here and the control plane that changes bytes.',
      cause,
    },
  );
}

function tooLarge(maxBytes: number): FallbackError {
  return new FallbackError(
    'unsupported',
    'KF_FRAME_EXPANDS_TOO_FAR',
    `the configuration is larger than ${maxBytes} bytes uncompressed`,
    { hint: 'Nothing was published. Split the control plane, or raise the limit if it was lowered.' },
  );
}
