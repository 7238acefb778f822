// A second reader, written from FORMAT.md alone and as plainly as it can be: what it opens is the format, not what the
// product happens to write.
import { createDecipheriv, createHash, createPublicKey, hkdfSync, verify } from 'node:crypto';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

/** FORMAT.md §4.1 and §4.2; throws when it does not open. */
export function openByTheBook(sealed: Buffer, context: Buffer, wrappingKeys: readonly Buffer[]): Buffer {
  const end = 8 + sealed.readUInt32BE(4);
  const header = JSON.parse(sealed.subarray(8, end).toString('utf8'));
  const dataKey = header.wrappedKeys
    .map(({ keyId, wrapped }: { keyId: string; wrapped: string }) => {
      const key = wrappingKeys.find((candidate) => keyIdOf(candidate) === keyId);
      return (
        key &&
        decrypt(
          key,
          Buffer.from(wrapped, 'base64').subarray(0, 12),
          Buffer.from(wrapped, 'base64').subarray(12),
          context,
        )
      );
    })
    .find((key: Buffer | undefined) => key !== undefined);
  const key = Buffer.from(hkdfSync('sha256', dataKey, sha256(sealed.subarray(0, end)), context, 32));
  const opened: Buffer[] = [];
  for (let at = end, counter = 0; at < sealed.length; at += 65_552, counter++) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(counter, 7);
    nonce[11] = at + 65_552 >= sealed.length ? 1 : 0;
    opened.push(decrypt(key, nonce, sealed.subarray(at, at + 65_552)));
  }
  return Buffer.concat(opened);
}

/** FORMAT.md §2; the payload, and which of the keys signed it. */
export function readByTheBook(
  bytes: Buffer,
  publicKeys: readonly string[],
): { head: { sequence: number }; signedBy: number } {
  const { payloadType, payload, signatures } = JSON.parse(bytes.toString('utf8'));
  const body = Buffer.from(payload, 'base64');
  const pae = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `),
    body,
  ]);
  const checksum = signatures.pop();
  if (Buffer.compare(sha256(pae), Buffer.from(checksum.sig, 'base64')) !== 0) throw new Error('checksum');
  const signedBy = publicKeys.filter((pem) => {
    const key = createPublicKey(pem);
    const id = sha256(key.export({ type: 'spki', format: 'der' }))
      .toString('hex')
      .slice(0, 16);
    return signatures.some(
      ({ keyid, sig }: { keyid: string; sig: string }) =>
        keyid === id && verify(null, pae, key, Buffer.from(sig, 'base64')),
    );
  }).length;
  return { head: JSON.parse(body.toString('utf8')), signedBy };
}

const keyIdOf = (key: Buffer) =>
  sha256(Buffer.concat([Buffer.from('kongfallback aes-gcm key id\n'), key]))
    .toString('hex')
    .slice(0, 16);

function decrypt(key: Buffer, nonce: Buffer, sealed: Buffer, associated?: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  if (associated !== undefined) decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}
