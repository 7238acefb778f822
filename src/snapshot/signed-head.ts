import { FallbackError } from '../errors/index.ts';
import { encodeSigned, openSigned, type SignedRefusal } from './dsse.ts';
import type { Head, Line } from './head.ts';
import { decodeHead, encodeHead } from './head-codec.ts';
import { type Signer, Trust } from './keys.ts';
import { HEAD_PAYLOAD_TYPE } from './object-keys.ts';

const HEAD_TYPE_OF_ANY_VERSION = /^application\/vnd\.kongfallback\.head\.v\d+\+json$/;

export interface OpenedHead {
  readonly head: Head;
  /** Signed by a key that this reader trusts. */
  readonly authenticated: boolean;
}

/**
 * The bytes of a head, checked to be readable: an exporter must never publish what every reader refuses.
 *
 * @throws FallbackError `invalid` KF_HEAD_UNWRITABLE
 */
export function encodeSignedHead(head: Head, signers: readonly Signer[]): Uint8Array<ArrayBuffer> {
  try {
    const bytes = encodeSigned(HEAD_PAYLOAD_TYPE, encodeHead(head), signers);
    openSignedHead(bytes, head, NO_KEYS, 'the new head');
    return bytes;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FallbackError('invalid', 'KF_HEAD_UNWRITABLE', `this head cannot be published: ${why}`, {
      cause,
      hint: 'Keep fewer snapshots (`export.keep`) if it is too large; otherwise this is a defect of kongfallback.',
    });
  }
}

/**
 * FORMAT.md §2 and §3.
 *
 * @param where names the head in errors: "storage s3: 3.9.3/head.json"
 * @throws FallbackError `corrupt` KF_HEAD_CORRUPT, KF_HEAD_FORGED, KF_HEAD_MALFORMED; `denied` KF_HEAD_UNSIGNED,
 *   KF_HEAD_UNTRUSTED; `unsupported` KF_HEAD_FORMAT, KF_HEAD_OTHER_CLUSTER, KF_HEAD_OTHER_VERSION
 */
export function openSignedHead(bytes: Uint8Array, line: Line, trust: Trust, where: string): OpenedHead {
  const opened = openSigned(bytes, HEAD_PAYLOAD_TYPE, trust);
  if (opened.refused !== undefined) throw refusal(opened, trust, where);
  return { head: decodeHead(opened.payload, line, where), authenticated: opened.authenticated };
}

const NO_KEYS = new Trust([]);

function refusal(refused: SignedRefusal, trust: Trust, where: string): FallbackError {
  switch (refused.refused) {
    case 'damaged':
      return corrupt(where, refused.why);
    case 'type':
      if (!HEAD_TYPE_OF_ANY_VERSION.test(refused.payloadType)) {
        return corrupt(where, 'its payload type is not that of a head');
      }
      return new FallbackError(
        'unsupported',
        'KF_HEAD_FORMAT',
        `${where}: head of type ${refused.payloadType}`,
        {
          hint: `This version reads ${HEAD_PAYLOAD_TYPE}; use the version of kongfallback that the exporter runs.`,
        },
      );
    case 'forged':
      return new FallbackError(
        'corrupt',
        'KF_HEAD_FORGED',
        `${where}: the signature of key ${refused.keyId} is wrong`,
        {
          hint: 'Someone else may have written it: check who can write to this storage before publishing again.',
        },
      );
    case 'unsigned':
      return new FallbackError('denied', 'KF_HEAD_UNSIGNED', `${where}: the head is not signed`, {
        hint: 'Give the exporter `signing.privateKey`, or remove `signing.publicKeys` here to trust whoever writes to the storage.',
      });
    case 'untrusted':
      return new FallbackError(
        'denied',
        'KF_HEAD_UNTRUSTED',
        `${where}: signed by ${refused.keyIds.join(', ')}, while only ${trust.keyIds.join(', ')} is trusted here`,
        { hint: 'If the exporter has a new key, add its public key to `signing.publicKeys`.' },
      );
  }
}

function corrupt(where: string, why: string): FallbackError {
  return new FallbackError('corrupt', 'KF_HEAD_CORRUPT', `${where}: the head is damaged, ${why}`, {
    hint: 'Publish again, or restore an older version of this object in the storage.',
  });
}
