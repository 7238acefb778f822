/** The limits of FORMAT.md; where no unit is named, characters or members. */
export const LIMITS = {
  headEnvelopeBytes: 2 * 1024 * 1024,
  headPayloadBytes: 1024 * 1024,
  signatures: 8,
  entries: 512,
  delisted: 1024,
  counts: 512,
  hashes: 64,
  plugins: 1024,
  findings: 50,
  rejected: 512,
  acceptedCodes: 50,
  /** Names, codes, versions, hash values. */
  name: 128,
  /** Sentences: messages and reasons. */
  sentence: 1024,
} as const;
