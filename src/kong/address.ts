import { controlPlaneError } from './control-plane-error.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** As it stands in the settings. */
  readonly text: string;
}

/** @throws FallbackError `invalid` KF_CP_ADDRESS_INVALID */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65535) {
    throw controlPlaneError(
      'KF_CP_ADDRESS_INVALID',
      `${JSON.stringify(text.slice(0, 200))} is not an address`,
    );
  }
  return { host, port: Number(port), text };
}
