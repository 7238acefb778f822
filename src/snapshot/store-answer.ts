import { types } from 'node:util';
import { classify, FallbackError } from '../errors/index.ts';
import type { ByteStream, ObjectInfo } from '../plugin/index.ts';
import type { Clock } from '../resilience/index.ts';

// What a storage plugin answers is foreign data: nothing of it is used before it was looked at here.

/** Longer ETags than any store's: S3 has 34 characters, Azure 20. */
const MAX_ETAG_LENGTH = 512;
/** A server's `Date` has one-second granularity and is a guess after a longer wait (reliability.md, asOf). */
const MAX_ANSWER_MS = 2_000;

export interface CheckedObject {
  readonly etag: string;
  readonly modifiedAt?: Date;
  readonly serverTime?: Date;
  readonly body: ByteStream;
}

export function checkedGet(
  answer: unknown,
  what: string,
  conditional: boolean,
): CheckedObject | 'not-modified' | undefined {
  if (answer === undefined) return undefined;
  if (answer === 'not-modified') {
    if (conditional) return answer;
    throw misbehaved(what, "'not-modified' without having been asked");
  }
  const { body, modifiedAt, serverTime } = fields(answer, what);
  if (!isIterable(body)) throw misbehaved(what, 'an object without a readable body');
  return {
    etag: checkedEtag(answer, what),
    ...(isDate(modifiedAt) && { modifiedAt }),
    ...(isDate(serverTime) && { serverTime }),
    body,
  };
}

export function checkedPut(answer: unknown, what: string): { etag: string; serverTime?: Date } {
  const { serverTime } = fields(answer, what);
  return { etag: checkedEtag(answer, what), ...(isDate(serverTime) && { serverTime }) };
}

export function checkedChunk(chunk: unknown, what: string): Uint8Array {
  if (types.isUint8Array(chunk)) return chunk;
  throw misbehaved(what, `a chunk that is ${describe(chunk)} instead of bytes`);
}

export function checkedInfo(info: unknown, what: string): ObjectInfo {
  const { key, size, modifiedAt } = fields(info, what);
  if (typeof key !== 'string') throw misbehaved(what, 'an entry without a key');
  if (typeof size !== 'number' || !(size >= 0)) throw misbehaved(what, 'an entry without a size');
  return { key, size, ...(isDate(modifiedAt) && { modifiedAt }) };
}

/** Moments of one request, by both clocks: the monotonic one stands still while the machine is suspended. */
export class Asked {
  readonly #clock: Clock;
  readonly #wallMs: number;
  /** `clock.monotonic()` when the request was sent. */
  readonly ms: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wallMs = clock.now();
    this.ms = clock.monotonic();
  }

  /** The server's time, unless so much passed that a stopped process would make it look young. */
  serverTime(answered: { readonly serverTime?: Date }): { serverTime?: Date } {
    const tookMs = Math.max(this.#clock.monotonic() - this.ms, this.#clock.now() - this.#wallMs);
    if (answered.serverTime === undefined || tookMs > MAX_ANSWER_MS) return {};
    return { serverTime: answered.serverTime };
  }
}

/**
 * A plugin's error with the operation and key put in front, exactly once. What the plugin rejects with because
 * its signal fired stays what the signal says.
 */
export function fromPlugin(thrown: unknown, what: string, signal: AbortSignal): FallbackError {
  if (signal.aborted && signal.reason instanceof FallbackError) return signal.reason;
  const error = classify(thrown, what);
  if (error !== thrown || error.message.startsWith(what)) return error;
  // The plugin's context has put the storage's name in front already.
  const name = what.slice(0, what.indexOf(': ') + 2);
  const message = error.message.startsWith(name) ? error.message.slice(name.length) : error.message;
  return new FallbackError(error.kind, error.code, `${what}: ${message}`, {
    cause: error.cause ?? error,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  });
}

/** `unavailable`, so that the next store or origin is asked: a plugin's bug must not end the search. */
export function misbehaved(what: string, how: string): FallbackError {
  return new FallbackError('unavailable', 'KF_PLUGIN_MISBEHAVED', `${what}: the plugin answered ${how}`, {
    hint: 'This is a defect of the storage plugin, not of your data; run its contract kit and tell its author.',
  });
}

function checkedEtag(answer: unknown, what: string): string {
  const { etag } = fields(answer, what);
  if (typeof etag !== 'string' || etag === '') throw misbehaved(what, 'without an ETag');
  if (etag.length > MAX_ETAG_LENGTH) throw misbehaved(what, `an ETag of ${etag.length} characters`);
  return etag;
}

function fields(answer: unknown, what: string): Record<string, unknown> {
  if (typeof answer !== 'object' || answer === null) throw misbehaved(what, describe(answer));
  return answer as Record<string, unknown>;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

function isIterable(value: unknown): value is ByteStream {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || (Symbol.iterator in value && !types.isUint8Array(value));
}

function isDate(value: unknown): value is Date {
  return types.isDate(value) && !Number.isNaN(value.getTime());
}
