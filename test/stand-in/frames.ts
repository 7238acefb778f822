import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { configHashes } from '../../src/kong/hash.ts';

const captures = fileURLToPath(new URL('../fixtures/captures/', import.meta.url));

/** Members of a reconfigure message in the order in which a 3.9.3 control plane often writes them. */
export const KONG_KEY_ORDER = ['type', 'timestamp', 'config_hash', 'hashes', 'config_table'] as const;

export interface FrameOptions {
  /** Default: calculated as a control plane does. `null` leaves it out. */
  readonly configHash?: string | null;
  readonly hashes?: Readonly<Record<string, string>> | null;
  /** Seconds since 1970; `null` leaves it out. */
  readonly timestamp?: number | null;
  readonly keyOrder?: readonly string[];
  /** Written after `keyOrder`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly gzipLevel?: number;
}

/** A frame around a document, whose bytes are taken as they are. */
export function encodeFrame(document: Uint8Array | object, options: FrameOptions = {}): Buffer<ArrayBuffer> {
  const bytes = document instanceof Uint8Array ? document : Buffer.from(JSON.stringify(document));
  const own =
    options.configHash === undefined || options.hashes === undefined
      ? configHashes(JSON.parse(Buffer.from(bytes).toString()))
      : undefined;
  const members: Record<string, Uint8Array | undefined> = {
    type: json('reconfigure'),
    timestamp: json(options.timestamp === undefined ? 1795258925.626 : options.timestamp),
    config_hash: json(options.configHash === undefined ? own?.config : options.configHash),
    hashes: json(options.hashes === undefined ? own : options.hashes),
    config_table: bytes,
  };
  for (const [key, value] of Object.entries(options.extra ?? {})) members[key] = json(value);
  const order = [...(options.keyOrder ?? KONG_KEY_ORDER), ...Object.keys(options.extra ?? {})];
  const parts: Uint8Array[] = [];
  for (const key of order) {
    const value = members[key];
    if (value === undefined) continue;
    parts.push(Buffer.from(`${parts.length === 0 ? '{' : ','}${JSON.stringify(key)}:`), value);
  }
  return gzipSync(Buffer.concat([...parts, Buffer.from('}')]), { level: options.gzipLevel ?? 6 });
}

/** @param name such as `older-versions/3.8.1/frame`; `mixed` alone means `control-plane/mixed/frame-1` */
export function recordedFrame(name: string): Buffer<ArrayBuffer> {
  return recordedFile(`${name.includes('/') ? name : `control-plane/${name}/frame-1`}.json.gz`);
}

/** The document of a recorded frame, sliced out the slow and certain way: by parsing and finding it again. */
export function recordedDocument(name: string): Buffer {
  const message = gunzipSync(recordedFrame(name));
  const start = message.indexOf('"config_table":') + '"config_table":'.length;
  const whole = JSON.parse(message.toString()) as { config_table: unknown };
  const expected = JSON.stringify(whole.config_table);
  for (let end = message.length; end > start; end = message.lastIndexOf('}', end - 2) + 1) {
    try {
      if (JSON.stringify(JSON.parse(message.toString('utf8', start, end))) === expected) {
        return message.subarray(start, end);
      }
    } catch {
      // a place further back
    }
  }
  throw new Error(`no config_table in ${name}`);
}

/** A file of test/fixtures/captures by its path there. */
export function recordedFile(path: string): Buffer<ArrayBuffer> {
  return readFileSync(captures + path) as Buffer<ArrayBuffer>;
}

function json(value: unknown): Uint8Array | undefined {
  return value === null || value === undefined ? undefined : Buffer.from(JSON.stringify(value));
}
