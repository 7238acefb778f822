import { FallbackError } from '../errors/index.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/**
 * The gateway versions that a look from outside is about: all that the settings name.
 *
 * @throws FallbackError `invalid` KF_NO_GATEWAY_VERSION
 */
export function lineVersions(get: Get): readonly string[] {
  const { bootstrap, gatewayVersions } = get(Part.settings).settings;
  const own = bootstrap.gatewayVersion === undefined ? [] : [bootstrap.gatewayVersion];
  const all = [...new Set([...gatewayVersions, ...own])];
  if (all.length > 0) return all;
  throw new FallbackError('invalid', 'KF_NO_GATEWAY_VERSION', 'the settings name no gateway version', {
    hint: 'Set gatewayVersions to the exact versions of the data planes, as `kong version` prints them: ["3.9.1"].',
  });
}
