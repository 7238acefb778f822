import type { Fault, Observation } from '../observation.ts';

/** Incremental sync by its names in 3.9, 3.10 and later; it needs `cluster_rpc`. */
const SYNC = ['cluster_incremental_sync', 'cluster_rpc_sync', 'incremental_sync'];

/**
 * A data plane with incremental sync asks over `/v2/outlet`, where a stand-in serves nothing.
 *
 * @param settingOf a setting of Kong by its name in kong.conf; undefined: not set
 */
export function incrementalSync(
  settingOf: (name: string) => string | undefined,
  severity: Fault,
): Observation[] {
  const on = SYNC.find((name) => isOn(settingOf(name)));
  if (on === undefined || isOff(settingOf('cluster_rpc'))) {
    return [
      {
        severity: 'ok',
        code: 'incremental-sync-off',
        message: 'no setting of Kong here asks for incremental sync',
      },
    ];
  }
  return [
    {
      severity,
      code: 'incremental-sync-on',
      message: `${on} is on: during an outage a stand-in cannot serve such a data plane, and a new one gets nothing from it`,
      hint: `Set ${on} to off on the data planes (KONG_${on.toUpperCase()}=off), or start them with kongfallback bootstrap.`,
    },
  ];
}

const isOn = (value: string | undefined): boolean => /^(on|true|yes|1)$/i.test(value?.trim() ?? '');
const isOff = (value: string | undefined): boolean => /^(off|false|no|0)$/i.test(value?.trim() ?? '');
