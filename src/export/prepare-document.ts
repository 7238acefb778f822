import { constants, isAscii, isUtf8 } from 'node:buffer';
import { FallbackError } from '../errors/index.ts';
import { isDeeperThan } from '../kong/table-depth.ts';

/** A document and what came with it. */
export interface ReadDocument {
  readonly document: Uint8Array;
  /** The document, parsed. */
  readonly table: Record<string, unknown>;
  readonly configHash: string | null;
  readonly hashes: Readonly<Record<string, string>> | null;
  readonly timestamp: number | null;
}

/** As for frames: simdjson, which Kong parses with, goes no deeper. */
const MAX_DEPTH = 1024;
/** 512 MiB less 24 characters: about 1.3 million entities. */
const LONGEST_STRING = constants.MAX_STRING_LENGTH;

/**
 * Reads a bare config_table: JSON without a message around it.
 *
 * @throws FallbackError `unsupported` KF_DOCUMENT_TOO_LARGE, KF_DOCUMENT_TOO_DEEP; `corrupt` KF_DOCUMENT_NOT_JSON,
 * KF_DOCUMENT_NOT_A_TABLE. Messages hold positions only: the text around them may be a secret.
 */
export function readDocument(bytes: Uint8Array, maxDocumentBytes: number): ReadDocument {
  const limit = Math.min(maxDocumentBytes, LONGEST_STRING);
  if (bytes.length > limit) throw tooLarge(bytes.length, limit);
  const table = parse(bytes);
  if (typeof table !== 'object' || table === null || Array.isArray(table)) throw notATable();
  if (isDeeperThan(table, MAX_DEPTH)) throw tooDeep();
  return {
    document: bytes,
    table: table as Record<string, unknown>,
    configHash: null,
    hashes: null,
    timestamp: null,
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(text(bytes));
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    throw notJson(position === undefined ? '' : `, first wrong at character ${position}`);
  }
}

/** ASCII, the common case, is cheaper to turn into a string: 0.27 against 0.32 of a JSON.parse. */
function text(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isAscii(buffer)) return buffer.toString('latin1');
  if (!isUtf8(buffer)) throw new TypeError('not UTF-8');
  return buffer.toString('utf8');
}

function notJson(where: string): FallbackError {
  return new FallbackError(
    'corrupt',
    'KF_DOCUMENT_NOT_JSON',
    `the configuration is not JSON in UTF-8${where}`,
    {
      hint: 'The document is cut short or damaged, or it is YAML: a declarative configuration is taken as JSON only.',
    },
  );
}

function tooLarge(length: number, limit: number): FallbackError {
  return new FallbackError(
    'unsupported',
    'KF_DOCUMENT_TOO_LARGE',
    `the configuration has ${length} bytes, more than ${limit}`,
    {
      hint: 'A data plane could hardly load it either: check what the control plane or the file holds.',
    },
  );
}

function notATable(): FallbackError {
  return new FallbackError('corrupt', 'KF_DOCUMENT_NOT_A_TABLE', 'the configuration is not a JSON object', {
    hint: 'A declarative configuration is an object with `_format_version` and one array per collection.',
  });
}

function tooDeep(): FallbackError {
  return new FallbackError(
    'unsupported',
    'KF_DOCUMENT_TOO_DEEP',
    `the configuration is nested deeper than ${MAX_DEPTH}`,
    {
      hint: 'No data plane could load it; correct the file.',
    },
  );
}
