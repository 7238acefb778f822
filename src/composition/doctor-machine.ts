import { readFile } from 'node:fs/promises';
import { fileLimit } from '../doctor/checks/file-limit.ts';
import { listenAddress } from '../doctor/checks/listen-address.ts';
import { nameResolves } from '../doctor/checks/name-resolves.ts';
import { signingKeyAtReader } from '../doctor/checks/signing-key-at-reader.ts';
import { signingKeys } from '../doctor/checks/signing-keys.ts';
import type { Fault } from '../doctor/observation.ts';
import type { Check } from '../doctor/run-checks.ts';
import { runningService } from '../doctor/running-service.ts';
import { hostsToFind } from './doctor-hosts.ts';
import type { DoctorSite } from './doctor-site.ts';
import { writtenSettings } from './doctor-written.ts';

/** Limits, keys, names and ports of this machine. */
export function machineChecks(site: DoctorSite): Check[] {
  return [...limitChecks(site), ...keyChecks(site), ...nameChecks(site), ...portChecks(site)];
}

function limitChecks({ loaded, role }: DoctorSite): Check[] {
  if (role !== 'relay') return [];
  const { maxConnections } = loaded.settings.relay;
  const limits = () => readFile('/proc/self/limits', 'utf8').catch(() => undefined);
  return [
    { area: 'machine', name: 'open files', look: async () => fileLimit(await limits(), maxConnections) },
  ];
}

function keyChecks({ loaded, places, role, whole }: DoctorSite): Check[] {
  const { privateKey, publicKeys } = loaded.settings.signing;
  if (role === 'exporter') {
    if (!whole) return [];
    return [
      {
        area: 'keys and certificates',
        name: 'signing keys',
        look: () => signingKeys(privateKey, publicKeys),
      },
    ];
  }
  return [
    {
      area: 'keys and certificates',
      name: 'signing key',
      look: async () => {
        const written = await writtenSettings(places);
        return signingKeyAtReader(written.text(['signing', 'privateKey']), (text) => written.resolve(text));
      },
    },
  ];
}

const nameChecks = ({ loaded, places, role }: DoctorSite): Check[] =>
  hostsToFind(loaded, role, places.env).map(({ host, severity, where }) => ({
    area: 'names',
    name: `address of ${host}`,
    look: () => nameResolves(host, where, severity),
  }));

function portChecks({ loaded, role }: DoctorSite): Check[] {
  const { relay, service } = loaded.settings;
  // A node fails open; its port is no reason for the gateway not to start.
  const severity: Fault = role === 'node' ? 'warning' : 'error';
  const running = (signal: AbortSignal) => runningService(service.listen, signal);
  const wanted = [
    ...(service.listen === 'off' ? [] : [{ setting: 'service.listen', listen: service.listen }]),
    ...(role === 'relay' && relay.listen !== undefined
      ? [{ setting: 'relay.listen', listen: relay.listen }]
      : []),
    ...(role === 'relay'
      ? relay.listeners.map(({ listen }) => ({ setting: 'relay.listeners', listen }))
      : []),
  ];
  return wanted.map((one) => ({
    area: 'disk and ports',
    name: one.setting,
    look: (signal) => listenAddress({ ...one, severity, running }, signal),
  }));
}
