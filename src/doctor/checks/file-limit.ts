import type { Observation } from '../observation.ts';

/** Sockets to stores, the cache, the service, the log, and what Node itself holds. */
const BESIDE = 100;

/**
 * A tunnel is two sockets.
 *
 * @param limits text of /proc/self/limits; undefined where there is none
 */
export function fileLimit(limits: string | undefined, maxConnections: number): Observation[] {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits ?? '') ?? [];
  if (soft === undefined) {
    return [
      { severity: 'ok', code: 'file-limit', message: 'the limit of open files cannot be looked at here' },
    ];
  }
  const needed = 2 * maxConnections + BESIDE;
  if (soft === 'unlimited' || Number(soft) >= needed) {
    return [
      { severity: 'ok', code: 'file-limit', message: `${soft} open files allowed, ${needed} are needed` },
    ];
  }
  return [
    {
      severity: 'error',
      code: 'file-limit-low',
      message: `${soft} open files allowed, and relay.maxConnections ${maxConnections} needs ${needed}`,
      hint: `Raise the limit (ulimit -n ${needed}, LimitNOFILE of systemd), or lower relay.maxConnections.`,
    },
  ];
}
