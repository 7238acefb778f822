import type { Observation } from '../observation.ts';

/**
 * A reader that can sign makes every reader a place to forge from. One settings file may serve all, so the setting alone
 * is no fault; that what it refers to is here, is.
 *
 * @param written `signing.privateKey` as it stands in the settings
 * @param resolve rejects where a reference leads to nothing
 */
export async function signingKeyAtReader(
  written: string | undefined,
  resolve: (text: string) => Promise<unknown>,
): Promise<Observation[]> {
  const absent: Observation = {
    severity: 'ok',
    code: 'signing-key-absent',
    message: 'the signing key is not on this machine',
  };
  if (written === undefined) return [absent];
  // A key that is written there in part must not be shown.
  const refers = /^\$\{[^}]*\}$/.test(written.trim());
  const found = await resolve(written).then(
    () => true,
    () => false,
  );
  if (!found) return [absent];
  return [
    {
      severity: 'warning',
      code: 'signing-key-at-reader',
      message: `the exporter's signing key can be read here (${refers ? written : 'it is in the settings'})`,
      hint: 'Remove it from this machine: whoever takes it over could forge what all data planes run. Only the exporter signs.',
    },
  ];
}
