import { Signer, Trust } from '../../snapshot/keys.ts';
import type { Observation } from '../observation.ts';

/**
 * Of the exporter: what it signs must be what readers believe.
 *
 * @throws FallbackError `invalid` KF_KEY_INVALID
 */
export function signingKeys(
  privateKey: string | undefined,
  publicKeys: readonly string[] | undefined,
): Observation[] {
  // That it is missing is a warning of the settings.
  if (privateKey === undefined) return [];
  const own = new Signer(privateKey, 'signing.privateKey').keyId;
  if (publicKeys === undefined) {
    return [
      {
        severity: 'warning',
        code: 'signing-public-missing',
        message: `heads are signed with key ${own}, and signing.publicKeys is not set`,
        hint: 'Set signing.publicKeys here and on all readers, so that a head which somebody else wrote is refused.',
      },
    ];
  }
  const known = new Trust(publicKeys).keyIds;
  if (known.includes(own)) {
    return [
      { severity: 'ok', code: 'signing-pair', message: `heads are signed with key ${own}, which is trusted` },
    ];
  }
  return [
    {
      severity: 'error',
      code: 'signing-key-foreign',
      message: `signing.privateKey is key ${own}, and signing.publicKeys holds ${known.join(', ')}: readers refuse what it signs`,
      hint: 'Add the public half of the private key to signing.publicKeys, on all readers first.',
    },
  ];
}
