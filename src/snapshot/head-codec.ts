import { FallbackError } from '../errors/index.ts';
import type { Content } from './content.ts';
import { CONFIG_HASH, MAX_INTEGER, NAME, plainEntry, readEntry, SENTENCE, SHA256 } from './entry-codec.ts';
import type { Head, Hold, Line } from './head.ts';
import { decodeJson, JsonValue } from './json-value.ts';
import { LIMITS } from './limits.ts';

const HEAD_FORMAT = 'kongfallback-head/1';

const NONCE = { max: 32, pattern: /^[0-9a-f]{32}$/ };
const SNAPSHOT_KEY = { max: 64, pattern: /^snapshots\/[0-9a-f]{16}-[0-9a-f]{16}\.kfs$/ };

/** The payload of FORMAT.md §3: members in its order, whatever order they were given in. */
export function encodeHead(head: Head): Uint8Array<ArrayBuffer> {
  const plain = {
    format: HEAD_FORMAT,
    cluster: head.cluster,
    gatewayVersion: head.gatewayVersion,
    sequence: head.sequence,
    writer: head.writer,
    nonce: head.nonce,
    aliveAt: head.aliveAt,
    confirmedAt: head.confirmedAt,
    controlPlane: { state: head.controlPlane.state, since: head.controlPlane.since },
    hold: head.hold && plainHold(head.hold),
    entries: head.entries.map(plainEntry),
    delisted: head.delisted.map(({ key, since }) => ({ key, since })),
  };
  return new TextEncoder().encode(JSON.stringify(plain));
}

/**
 * Reads a payload that the envelope already vouches for.
 *
 * @param where names the head in errors: "storage s3: 3.9.3/head.json"
 * @throws FallbackError `corrupt` KF_HEAD_MALFORMED; `unsupported` KF_HEAD_FORMAT, KF_HEAD_OTHER_CLUSTER,
 *   KF_HEAD_OTHER_VERSION
 */
export function decodeHead(payload: Uint8Array, line: Line, where: string): Head {
  const malformed = (sentence: string) =>
    new FallbackError('corrupt', 'KF_HEAD_MALFORMED', `${where}: ${sentence}`, {
      hint: 'The head was not written by this program, or by a broken one; publish again, or restore an older version of the object.',
    });
  if (payload.length > LIMITS.headPayloadBytes) {
    throw malformed(`the head has ${payload.length} bytes, at most ${LIMITS.headPayloadBytes} are allowed`);
  }
  const json = decodeJson(payload);
  if (json === undefined) throw malformed('the head is not JSON');
  const value = new JsonValue(json.value, 'head', malformed);
  checkFormat(value.member('format').string(NAME), where);
  checkLineOf(value, line, where);

  const head: Head = {
    format: HEAD_FORMAT,
    cluster: line.cluster,
    gatewayVersion: line.gatewayVersion,
    sequence: value.member('sequence').integer(1, MAX_INTEGER),
    writer: value.member('writer').string(NAME),
    nonce: value.member('nonce').string(NONCE),
    aliveAt: value.member('aliveAt').time(),
    confirmedAt: value.member('confirmedAt').time(),
    controlPlane: {
      state: value.member('controlPlane').member('state').oneOf(['up', 'down']),
      since: value.member('controlPlane').member('since').time(),
    },
    hold: value.member('hold').orNull(readHold),
    entries: value.member('entries').items(1, LIMITS.entries).map(readEntry),
    delisted: value
      .member('delisted')
      .items(0, LIMITS.delisted)
      .map((item) => ({
        key: item.member('key').string(SNAPSHOT_KEY),
        since: item.member('since').time(),
      })),
  };
  for (const entry of head.entries) {
    if (entry.sequence > head.sequence) {
      throw malformed(`an entry's sequence ${entry.sequence} is above the head's ${head.sequence}`);
    }
    if (!SNAPSHOT_KEY.pattern.test(entry.key)) throw malformed(`the entry ${entry.key} is no snapshot`);
  }
  return head;
}

function checkFormat(format: string, where: string): void {
  if (format === HEAD_FORMAT) return;
  throw new FallbackError(
    'unsupported',
    'KF_HEAD_FORMAT',
    `${where}: head format ${JSON.stringify(format)}`,
    {
      hint: `This version reads ${HEAD_FORMAT}; use the version of kongfallback that the exporter runs.`,
    },
  );
}

function checkLineOf(value: JsonValue, line: Line, where: string): void {
  const cluster = value.member('cluster').string(NAME);
  if (cluster !== line.cluster) {
    throw new FallbackError(
      'unsupported',
      'KF_HEAD_OTHER_CLUSTER',
      `${where}: the head belongs to cluster ${JSON.stringify(cluster)}, not ${JSON.stringify(line.cluster)}`,
      { hint: "Check `cluster`, and the bucket and prefix of the storage: one of them is another fleet's." },
    );
  }
  const gatewayVersion = value.member('gatewayVersion').string(NAME);
  if (gatewayVersion !== line.gatewayVersion) {
    throw new FallbackError(
      'unsupported',
      'KF_HEAD_OTHER_VERSION',
      `${where}: the head is for gateway version ${JSON.stringify(gatewayVersion)}, not ${JSON.stringify(line.gatewayVersion)}`,
      { hint: 'Objects were moved between lines; publish again for this gateway version.' },
    );
  }
}

function readHold(value: JsonValue): Hold {
  return {
    target: value.member('target').string(SHA256),
    rejected: value.member('rejected').items(0, LIMITS.rejected).map(readRejected),
    by: value.member('by').string(NAME),
    reason: value.member('reason').string(SENTENCE),
    since: value.member('since').time(),
    until: value.member('until').orNull((until) => until.time()),
  };
}

function readRejected(value: JsonValue): Content {
  return {
    configHash: value.member('configHash').orNull((hash) => hash.string(CONFIG_HASH)),
    documentLength: value.member('documentLength').integer(1, MAX_INTEGER),
    documentSha256: value.member('documentSha256').string(SHA256),
  };
}

function plainHold(hold: Hold): Record<string, unknown> {
  return {
    target: hold.target,
    rejected: hold.rejected.map(({ configHash, documentLength, documentSha256 }) => ({
      configHash,
      documentLength,
      documentSha256,
    })),
    by: hold.by,
    reason: hold.reason,
    since: hold.since,
    until: hold.until,
  };
}
