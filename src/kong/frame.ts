import { constants, isAscii } from 'node:buffer';
import { gunzipSync, constants as zlib } from 'node:zlib';
import { FallbackError } from '../errors/index.ts';
import { controlPlaneError } from './control-plane-error.ts';
import { claimedLength, gunzipExactly, isGzip } from './gunzip.ts';
import { endOfValue, membersBefore, skipSpace } from './json-members.ts';
import { isDeeperThan } from './table-depth.ts';
import { guessTableEnd } from './table-end.ts';

export interface FrameLimits {
  /** Bytes of the uncompressed message; at most what one string can hold (512 MiB less 24), the default. */
  readonly maxMessageBytes?: number;
}

/** A reconfigure message, read. */
export interface Frame {
  readonly type: 'reconfigure';
  /** The bytes of `config_table` as the control plane wrote them: a view into the inflated message. */
  readonly document: Uint8Array<ArrayBuffer>;
  /** The document, parsed; nobody needs to parse it again. */
  readonly table: Record<string, unknown>;
  readonly configHash: string | null;
  readonly hashes: Readonly<Record<string, string>> | null;
  /** Seconds since 1970 by the control plane's clock, when it exported this. */
  readonly timestamp: number | null;
}

/** What the first kilobytes of a frame tell; each absent when it cannot be had cheaply. */
export interface FramePeek {
  readonly configHash?: string;
  readonly timestamp?: number;
  /** Bytes of the document. Together with `configHash` enough to see that nothing changed, and for nothing else. */
  readonly documentLength?: number;
  /** A relay of ours made it of a snapshot: it is no word of a control plane. */
  readonly standIn?: true;
}

/** simdjson, which Kong parses frames with, goes no deeper. */
const MAX_DEPTH = 1024;
const PEEK_INPUT_BYTES = 4096;
/** Deflate expands at most 1032 times. */
const PEEK_OUTPUT_BYTES = PEEK_INPUT_BYTES * 1032;
const MEMBERS_OF_KONG = ['type', 'timestamp', 'config_hash', 'hashes'];
const MAX_HASH_CHARACTERS = 128;
/** What a relay adds to the message; its mere presence counts. */
const STAND_IN_KEY = 'kongfallback';

/** Never throws: a frame that cannot be peeked into yields nothing. */
export function peekFrame(gzip: Uint8Array): FramePeek {
  if (!isGzip(gzip)) return {};
  let head: Buffer;
  try {
    head = gunzipSync(gzip.subarray(0, PEEK_INPUT_BYTES), {
      finishFlush: zlib.Z_SYNC_FLUSH,
      maxOutputLength: PEEK_OUTPUT_BYTES,
    });
  } catch {
    return {};
  }
  const { members, stop } = membersBefore(head, 'config_table');
  const seen = new Map(members.map(({ key, start, end }) => [key, parse(head.subarray(start, end))]));
  const configHash = hashOrNull(seen.get('config_hash'));
  const timestamp = numberOrNull(seen.get('timestamp'));
  const tableIsLast = stop !== undefined && MEMBERS_OF_KONG.every((key) => seen.has(key));
  const documentLength = tableIsLast ? claimedLength(gzip) - stop - 1 : -1;
  return {
    ...(configHash !== null && { configHash }),
    ...(timestamp !== null && { timestamp }),
    ...(documentLength > 0 && { documentLength }),
    ...(seen.has(STAND_IN_KEY) && { standIn: true }),
  };
}

/**
 * Reads a frame as received. The document is sliced out of the message, never written anew, and parsed once.
 *
 * @throws FallbackError `corrupt` KF_FRAME_NOT_GZIP, KF_FRAME_DAMAGED, KF_FRAME_NOT_JSON, KF_FRAME_NO_TABLE,
 *   KF_FRAME_TWO_TABLES; `unsupported` KF_FRAME_EXPANDS_TOO_FAR, KF_FRAME_TYPE, KF_FRAME_TOO_DEEP;
 *   `unavailable` KF_CP_STAND_IN
 */
export function readFrame(gzip: Uint8Array, limits: FrameLimits = {}): Frame {
  const limit = Math.min(limits.maxMessageBytes ?? constants.MAX_STRING_LENGTH, constants.MAX_STRING_LENGTH);
  const message = gunzipExactly(gzip, limit);
  const { stop: start } = membersBefore(message, 'config_table');
  if (start === undefined) throw withoutTable(message);
  const { table, end } = readTable(message, start);
  const before = message.subarray(0, start);
  const rest = message.subarray(end);
  // The table replaced by null: that this parses and the table parses proves that the whole message does.
  const envelope = parse(Buffer.concat([before, Buffer.from('null'), rest]));
  if (!isObject(envelope)) throw notJson('around config_table');
  if (namesTableAgain(rest)) throw twoTables();
  if (Object.hasOwn(envelope, STAND_IN_KEY)) throw standIn();
  if (envelope['type'] !== 'reconfigure') throw wrongType(envelope['type']);
  if (isDeeperThan(table, MAX_DEPTH)) throw tooDeep();
  return {
    type: 'reconfigure',
    document: message.subarray(start, end),
    table,
    configHash: hashOrNull(envelope['config_hash']),
    hashes: hashesOrNull(envelope['hashes']),
    timestamp: numberOrNull(envelope['timestamp']),
  };
}

function readTable(message: Uint8Array, start: number): { table: Record<string, unknown>; end: number } {
  const guess = guessTableEnd(message, start);
  if (guess !== undefined) {
    const table = parse(message.subarray(start, guess));
    if (isObject(table)) return { table, end: guess };
  }
  const end = endOfValue(message, start);
  if (end > message.length) throw notJson('it ends inside config_table');
  const table = end === guess ? undefined : parse(message.subarray(start, end));
  if (isObject(table)) return { table, end };
  if (table === undefined) throw notJson('inside config_table');
  throw new FallbackError('corrupt', 'KF_FRAME_NO_TABLE', 'config_table of the message is not an object', {
    hint: 'Nothing was published. A control plane always sends an object; is something else at this address?',
  });
}

/** Undefined for what is not JSON. Half of the time of reading a frame is spent here. */
function parse(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return JSON.parse(buffer.toString(isAscii(buffer) ? 'latin1' : 'utf8'));
  } catch {
    return undefined;
  }
}

function namesTableAgain(rest: Uint8Array): boolean {
  const comma = skipSpace(rest, 0);
  if (rest[comma] !== 0x2c) return false;
  const following = parse(Buffer.concat([Buffer.from('{'), rest.subarray(comma + 1)]));
  return !isObject(following) || Object.hasOwn(following, 'config_table');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hashOrNull(value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_HASH_CHARACTERS ? value : null;
}

function hashesOrNull(value: unknown): Record<string, string> | null {
  if (!isObject(value)) return null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, hash]) =>
      hashOrNull(hash) === null ? [] : [[name, hash as string]],
    ),
  );
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function standIn(): FallbackError {
  return controlPlaneError('KF_CP_STAND_IN', 'the message is of a stand-in, not of a control plane');
}

function withoutTable(message: Uint8Array): FallbackError {
  const whole = parse(message);
  if (!isObject(whole)) return notJson('the message is not an object');
  if (whole['type'] !== 'reconfigure') return wrongType(whole['type']);
  return new FallbackError('corrupt', 'KF_FRAME_NO_TABLE', 'the message holds no config_table', {
    hint: 'Nothing was published. A control plane always sends one; is something else at this address?',
  });
}

function notJson(where: string): FallbackError {
  return new FallbackError('corrupt', 'KF_FRAME_NOT_JSON', `the received message is not JSON: ${where}`, {
    hint: 'Nothing was published. Try again; the control plane log may say more.',
  });
}

function twoTables(): FallbackError {
  return new FallbackError('corrupt', 'KF_FRAME_TWO_TABLES', 'the message holds config_table twice', {
    hint: 'Nothing was published: which of the two counts would depend on the reader.',
  });
}

function wrongType(type: unknown): FallbackError {
  const named = typeof type === 'string' ? JSON.stringify(type.slice(0, 64)) : 'no type';
  return new FallbackError(
    'unsupported',
    'KF_FRAME_TYPE',
    `the message is ${named}, where "reconfigure" is known`,
    { hint: 'The control plane may be newer than this version of kongfallback; see its release notes.' },
  );
}

function tooDeep(): FallbackError {
  return new FallbackError(
    'unsupported',
    'KF_FRAME_TOO_DEEP',
    `config_table is nested deeper than ${MAX_DEPTH}`,
    {
      hint: 'Nothing was published: no data plane could load it.',
    },
  );
}
