import { constants } from 'node:buffer';
import type {
  CallOptions,
  ConfigDocument,
  Finding,
  PluginContext,
  ValidationContext,
  Validator,
} from 'kongfallback/plugin';
import { estimatedFrameBytes } from './frame-estimate.ts';
import type { LimitsSettings } from './settings.ts';

const MIB = 2 ** 20;
const NEAR = 0.8;
/** A map that is half full may be full before anybody has raised it everywhere: it takes a restart of each data plane. */
const HALF = 0.5;

/**
 * Bytes in LMDB for each byte of the document: the map of a real 3.9.3 data plane with 400 services and 800 routes,
 * 0.57 MB of JSON, had grown to 2.55 MB. An entity is there once for each of its keys, and a replacement is written
 * beside the former configuration before that is freed.
 */
const LMDB_BYTES_PER_BYTE = 4.5;

/** Kong's `lmdb_map_size`: 128m up to 3.3, 2048m since 3.4 (kong/templates/kong_defaults.lua). */
const SMALL_MAP = 128 * MIB;
const LARGE_MAP = 2048 * MIB;

/** Kong's `cluster_max_payload`: 4 MiB up to 3.3, 16 MiB since 3.4 (kong/templates/kong_defaults.lua). */
const SMALL_PAYLOAD = 4 * MIB;
const LARGE_PAYLOAD = 16 * MIB;

/** V8's longest string, 512 MiB less 24 characters: what is longer is not exported at all (KF_DOCUMENT_TOO_LARGE). */
const LONGEST_DOCUMENT = constants.MAX_STRING_LENGTH;

/**
 * Warns ahead of what a configuration cannot grow beyond. All of these are estimates, and a snapshot that is too large
 * for one way into a data plane may still take another, so nothing is refused.
 */
export class Limits implements Validator {
  readonly #settings: LimitsSettings;
  readonly #plugin: PluginContext;

  constructor(settings: LimitsSettings, plugin: PluginContext) {
    this.#settings = settings;
    this.#plugin = plugin;
  }

  async validate(
    { bytes }: ConfigDocument,
    { gatewayVersion }: ValidationContext,
    { signal }: CallOptions,
  ): Promise<readonly Finding[]> {
    if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before the sizes were looked at');
    return [
      ...this.#payload(bytes, gatewayVersion),
      ...this.#lmdb(bytes.length, gatewayVersion),
      ...longest(bytes.length),
    ];
  }

  #payload(bytes: Uint8Array, gatewayVersion: string): Finding[] {
    const usual = isFrom34(gatewayVersion) ? LARGE_PAYLOAD : SMALL_PAYLOAD;
    const maxPayloadBytes = this.#settings.maxPayloadBytes ?? usual;
    // Compression makes nothing larger: a small document needs no look.
    if (bytes.length < NEAR * maxPayloadBytes) return [];
    const frame = estimatedFrameBytes(bytes);
    if (frame < NEAR * maxPayloadBytes) return [];
    const size = `compressed, the configuration has about ${mebibytes(frame)} MiB`;
    const message =
      frame < maxPayloadBytes
        ? `${size}, ${percent(frame, maxPayloadBytes)} % of the ${mebibytes(maxPayloadBytes)} MiB that a data plane receives`
        : `${size}: a data plane receives no more than ${mebibytes(maxPayloadBytes)} MiB and closes the link`;
    const hint =
      'Raise cluster_max_payload on the control plane and every data plane, and maxPayloadBytes here and in `source`.';
    return [{ code: 'limits/payload', severity: 'warning', message, hint }];
  }

  #lmdb(length: number, gatewayVersion: string): Finding[] {
    const map = this.#settings.lmdbMapBytes ?? (isFrom34(gatewayVersion) ? LARGE_MAP : SMALL_MAP);
    const needed = length * LMDB_BYTES_PER_BYTE;
    if (needed < HALF * map) return [];
    const size = `in the LMDB of a data plane the configuration takes about ${mebibytes(needed)} MiB`;
    const share = `${percent(needed, map)} % of its ${mebibytes(map)} MiB`;
    const code = needed < NEAR * map ? 'limits/lmdb' : 'limits/lmdb-nearly-full';
    const hint =
      'Raise lmdb_map_size on every data plane (a full one keeps its old configuration, a new one gets none), and lmdbMapBytes here.';
    return [{ code, severity: 'warning', message: `${size}, ${share}`, hint }];
  }
}

function longest(length: number): Finding[] {
  if (length < NEAR * LONGEST_DOCUMENT) return [];
  const message = `the configuration has ${mebibytes(length)} MiB, ${percent(length, LONGEST_DOCUMENT)} % of the longest that can be exported`;
  const hint = 'Beyond 512 MiB nothing is exported any more: split the fleet into several control planes.';
  return [{ code: 'limits/document', severity: 'warning', message, hint }];
}

function isFrom34(gatewayVersion: string): boolean {
  const [major = 0, minor = 0] = gatewayVersion.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 4);
}

const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0);
const percent = (part: number, whole: number): number => Math.floor((part * 100) / whole);
