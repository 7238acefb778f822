import { hostname } from 'node:os';
import { type CertificateToCheck, certificate } from '../doctor/checks/certificate.ts';
import { clockOffset } from '../doctor/checks/clock-offset.ts';
import { controlPlaneLink, type LinkSeen } from '../doctor/checks/control-plane-link.ts';
import { controlPlaneSession } from '../doctor/checks/control-plane-session.ts';
import type { Fault, Observation } from '../doctor/observation.ts';
import type { Check } from '../doctor/run-checks.ts';
import { ClusterCertificate, type ControlPlaneSettings, nodeIdOf, parseAddress } from '../kong/index.ts';
import { DEFAULT_PROBE_MS } from '../kong/probe.ts';
import { announcedPlugins } from './announced-plugins.ts';
import type { DoctorSite } from './doctor-site.ts';
import { Part } from './parts.ts';

/** What data planes ask for in shared mode, whatever the address. */
const SHARED_NAME = 'kong_clustering';
/** For an upgrade, where no version is known; a control plane takes any minor up to its own. */
const LIKELY_VERSION = '3.4.0';
/** For the links, before the sessions. */
const LINKS_MS = 30_000;

/** Certificates, addresses, and a session for each gateway version, one after the other. */
export function controlPlaneChecks(site: DoctorSite): Check[] {
  const { get, loaded, role, versions } = site;
  const { controlPlane, relay } = loaded.settings;
  if (controlPlane === undefined) return [];
  const clock = get(Part.clock);
  // A node starts without it; that is what all of this is for.
  const severity: Fault = role === 'node' ? 'warning' : 'error';
  const shown: CertificateToCheck[] = [
    {
      setting: 'controlPlane.certificate',
      pem: controlPlane.certificate,
      ...(controlPlane.mtls === 'shared' && { commonName: SHARED_NAME }),
    },
    ...(controlPlane.ca === undefined ? [] : [{ setting: 'controlPlane.ca', pem: controlPlane.ca }]),
    ...(role !== 'relay' || relay.certificate === undefined
      ? []
      : [{ setting: 'relay.certificate', pem: relay.certificate }]),
  ];
  let links: Promise<readonly LinkSeen[]> | undefined;
  const lookAt = (signal: AbortSignal) => {
    links ??= allLinks(site, controlPlane, severity, signal);
    return links;
  };
  const probeMs = role === 'node' ? loaded.settings.bootstrap.probeSeconds * 1000 : DEFAULT_PROBE_MS;
  return [
    ...shown.map(
      (one): Check => ({
        area: 'keys and certificates',
        name: one.setting,
        look: () => certificate(one, clock.now()),
      }),
    ),
    {
      area: 'clock',
      name: 'clock of the control plane',
      look: async (signal) =>
        (await lookAt(signal)).flatMap(({ clockOffsetMs }, at) =>
          clockOffset(`control plane ${controlPlane.addresses[at]}`, clockOffsetMs),
        ),
    },
    {
      area: 'control plane',
      name: 'control plane',
      deadlineMs: LINKS_MS + (probeMs + 2000) * versions.length,
      look: async (signal) => {
        const seen = await lookAt(signal);
        const stands = seen.some((link) => link.stands);
        const said = seen.map((link) => (stands ? milder(link.seen) : link.seen));
        if (!stands) return said;
        return [...said, ...(await sessions(site, controlPlane, { probeMs, severity, signal }))];
      },
    },
  ];
}

async function allLinks(
  { get, loaded, versions }: DoctorSite,
  controlPlane: ControlPlaneSettings,
  severity: Fault,
  signal: AbortSignal,
): Promise<readonly LinkSeen[]> {
  const clock = get(Part.clock);
  const gatewayVersion = versions[0] ?? LIKELY_VERSION;
  const identity = {
    cluster: new ClusterCertificate(controlPlane),
    gatewayVersion,
    nodeId: nodeId(loaded.settings.cluster, gatewayVersion),
    nodeHostname: hostname(),
    clock,
  };
  return Promise.all(
    controlPlane.addresses.map((address) =>
      controlPlaneLink(parseAddress(address), identity, { severity, signal }),
    ),
  );
}

async function sessions(
  { get, loaded, versions }: DoctorSite,
  controlPlane: ControlPlaneSettings,
  {
    probeMs,
    severity,
    signal,
  }: { readonly probeMs: number; readonly severity: Fault; readonly signal: AbortSignal },
): Promise<Observation[]> {
  const { cluster, source } = loaded.settings;
  const seen: Observation[] = [];
  for (const gatewayVersion of versions) {
    const options = {
      controlPlane,
      gatewayVersion,
      nodeId: nodeId(cluster, gatewayVersion),
      nodeHostname: hostname(),
      labels: { 'kongfallback-role': 'doctor' },
      plugins: announcedPlugins(source, gatewayVersion),
      probeMs,
      clock: get(Part.clock),
      signal,
    };
    seen.push(...(await controlPlaneSession(options, severity)));
  }
  return seen;
}

/** One of several addresses that is away is no outage. */
const milder = (seen: Observation): Observation =>
  seen.severity === 'error' ? { ...seen, severity: 'warning' } : seen;

/** The same each time: a control plane lists every id for two weeks. */
const nodeId = (cluster: string, gatewayVersion: string): string =>
  nodeIdOf(cluster, gatewayVersion, `doctor ${hostname()}`);
