import type { Observation } from '../observation.ts';

export interface GatewayVersions {
  /** `bootstrap.gatewayVersion`. */
  readonly set: string | undefined;
  /** What `kong version` says here; undefined: there is no Kong. */
  readonly installed: string | undefined;
  /** `gatewayVersions`. */
  readonly listed: readonly string[];
}

/** The version that a bootstrap here takes: what is set, else what is installed, else the only one that there is. */
export function ownVersion({ installed, listed, set }: GatewayVersions): string | undefined {
  return set ?? installed ?? (listed.length === 1 ? listed[0] : undefined);
}

export function gatewayVersion(versions: GatewayVersions): Observation[] {
  const { installed, set } = versions;
  const own = ownVersion(versions);
  if (own === undefined) {
    return [
      {
        severity: 'error',
        code: 'gateway-version-unknown',
        message: 'the gateway version of this node is not known: it is not set, and there is no kong command',
        hint: 'Set bootstrap.gatewayVersion to what `kong version` prints on this node, such as "3.9.1".',
      },
    ];
  }
  if (set !== undefined && installed !== undefined && set !== installed) {
    return [
      {
        severity: 'warning',
        code: 'gateway-version-differs',
        message: `bootstrap.gatewayVersion is ${set}, and kong version says ${installed}`,
        hint: 'Set it to the version that is installed, or leave it out: a gateway may refuse what was made for another version.',
      },
    ];
  }
  return [{ severity: 'ok', code: 'gateway-version', message: `gateway ${own}` }];
}
