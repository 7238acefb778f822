// Realistic flattened configurations of any size, from a seed, in bounded memory.
//
//   tsx test/bench/generate.ts --entities 100k [--seed 1] [--frame] --out configuration.json
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { COLLECTION_NAMES, entityOf, fleetOf } from './entities.ts';
import { hex, randomAt, uuid } from './random.ts';

export interface Configuration {
  readonly entities: number;
  readonly seed: number;
  /** Another value changes one service and nothing else. */
  readonly revision?: number;
}

const PIECE_CHARACTERS = 64 * 1024;
/** What Kong's own encoder makes of a frame (kong/clustering/utils.lua: deflate_gzip with the default level). */
const FRAME_LEVEL = 6;

/** The document (config_table) as text, in pieces of about 64 KiB. */
export function* documentPieces({ entities, seed, revision = 0 }: Configuration): Generator<string> {
  const fleet = fleetOf(entities, seed);
  const next = randomAt(seed, -2);
  let piece = `{"_format_version":"3.0","_transform":false,"workspaces":[{"comment":null,"meta":{},"updated_at":1795258914,"name":"default","id":"${uuid(next)}","config":{},"created_at":1795258914}]`;
  for (const name of COLLECTION_NAMES) {
    piece += `,"${name}":[`;
    for (let index = 0; index < fleet.counts[name]; index++) {
      const entity = entityOf(fleet, name, index);
      const changed = revision > 0 && name === 'services' && index === 0;
      const text = JSON.stringify(changed ? { ...entity, retries: 5 + revision } : entity);
      piece += index === 0 ? text : `,${text}`;
      if (piece.length < PIECE_CHARACTERS) continue;
      yield piece;
      piece = '';
    }
    piece += ']';
  }
  yield `${piece},"parameters":[{"value":"${uuid(next)}","created_at":null,"key":"cluster_id"}]}`;
}

/** The uncompressed reconfigure message around it, as a control plane of 3.9 writes it. */
export function* messagePieces(configuration: Configuration): Generator<string> {
  const next = randomAt(configuration.seed, -3 - (configuration.revision ?? 0));
  const hashes = ['config', 'routes', 'upstreams', 'targets', 'plugins', 'services'];
  const all = Object.fromEntries(hashes.map((name) => [name, hex(next, 32)]));
  const timestamp = 1_795_258_920.5 + (configuration.revision ?? 0);
  yield `{"type":"reconfigure","timestamp":${timestamp},"config_hash":"${all['config']}","hashes":${JSON.stringify(all)},"config_table":`;
  yield* documentPieces(configuration);
  yield '}';
}

/** @returns bytes and SHA-256 of the document */
export async function writeDocument(path: string, configuration: Configuration) {
  const sha256 = createHash('sha256');
  let bytes = 0;
  async function* counted() {
    for (const piece of documentPieces(configuration)) {
      const buffer = Buffer.from(piece);
      sha256.update(buffer);
      bytes += buffer.length;
      yield buffer;
    }
  }
  await pipeline(counted, createWriteStream(path));
  return { bytes, sha256: sha256.digest('hex') };
}

/** A frame as it arrives on the socket: gzip of the message. */
export async function writeFrame(path: string, configuration: Configuration): Promise<void> {
  const pieces = Readable.from(messagePieces(configuration), { objectMode: false });
  await pipeline(pieces, createGzip({ level: FRAME_LEVEL }), createWriteStream(path));
}

/** "100k" -> 100000. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([km]?)$/i.exec(text);
  if (match === null) throw new Error(`not a size such as 1k, 100k, 1m: ${text}`);
  const unit = { '': 1, k: 1000, m: 1_000_000 }[(match[2] ?? '').toLowerCase() as '' | 'k' | 'm'];
  return Math.round(Number(match[1]) * unit);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      entities: { type: 'string', default: '1k' },
      seed: { type: 'string', default: '1' },
      frame: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  if (values.out === undefined) throw new Error('--out is missing');
  const configuration = { entities: parseSize(values.entities), seed: Number(values.seed) };
  const made = values.frame
    ? await writeFrame(values.out, configuration)
    : await writeDocument(values.out, configuration);
  console.log(`seed ${configuration.seed}, ${configuration.entities} entities`, made ?? '');
}
