import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Fault, Observation } from '../observation.ts';

/** @param where what is looked for there: "control plane", "storage s3" */
export async function nameResolves(host: string, where: string, severity: Fault): Promise<Observation[]> {
  if (isIP(host)) return [];
  try {
    const found = await lookup(host, { all: true });
    const shown = found.slice(0, 3).map(({ address }) => address);
    const more = found.length > 3 ? `, and ${found.length - 3} more` : '';
    return [
      { severity: 'ok', code: 'name-resolves', message: `${where}: ${host} is ${shown.join(', ')}${more}` },
    ];
  } catch (error) {
    return [
      {
        severity,
        code: 'name-unknown',
        message: `${where}: ${host} has no address (${String((error as { code?: unknown }).code)})`,
        hint: `Correct the name, or the DNS of this machine: getent hosts ${host} must find it from here.`,
      },
    ];
  }
}
