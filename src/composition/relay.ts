import { hostname } from 'node:os';
import type { DependencyContainer } from 'tsyringe';
import { validate } from '../bootstrap/validate.ts';
import type { LoadedSettings } from '../config/index.ts';
import { FallbackError } from '../errors/index.ts';
import {
  type Address,
  ClusterCertificate,
  type ControlPlaneSettings,
  nodeIdOf,
  parseAddress,
} from '../kong/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { Admission } from '../relay/admission/admission.ts';
import { HandBack } from '../relay/admission/hand-back.ts';
import { StandingCopies } from '../relay/copy/standing-copies.ts';
import type { Identity } from '../relay/identity.ts';
import { Relay } from '../relay/relay.ts';
import { certificateIdentity } from '../relay/stand-in/certificate-identity.ts';
import { StandIn } from '../relay/stand-in/stand-in.ts';
import { OpenTunnels } from '../relay/tunnel/open-tunnels.ts';
import { openUpstream } from '../relay/tunnel/upstream.ts';
import { ControlPlaneWatch } from '../relay/watch/control-plane-watch.ts';
import { createLook } from '../relay/watch/look.ts';
import { OwnSession, sessionOpener } from '../relay/watch/own-session.ts';
import type { Trust } from '../snapshot/keys.ts';
import type { Sealing } from '../snapshot/sealing.ts';
import { announcedPlugins } from './announced-plugins.ts';
import { commonParts } from './common-parts.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/** For each address; a data plane that dials waits 5 s in all. */
const CONNECT_MS = 3000;

/** The relay's parts list. */
export function relayParts(loaded: LoadedSettings, log: Logger): DependencyContainer {
  return commonParts(loaded, log);
}

/** What changes when certificates and keys are rotated. */
export interface RelayKeys {
  readonly controlPlane: ControlPlaneSettings;
  readonly cluster: ClusterCertificate;
  readonly identity: Identity;
  readonly sealing: Sealing;
  readonly trust: Trust;
}

/** @throws FallbackError `invalid` KF_CP_CERTIFICATE_INVALID, KF_KEY_INVALID and what plugins throw */
export async function relayKeys(get: Get): Promise<RelayKeys> {
  const { controlPlane, relay } = get(Part.settings).settings;
  if (controlPlane === undefined) throw noControlPlane();
  return {
    controlPlane,
    cluster: new ClusterCertificate(controlPlane),
    identity: certificateIdentity(controlPlane, relay),
    sealing: await get(Part.sealing),
    trust: get(Part.trust),
  };
}

export interface RelayPieces {
  readonly relay: Relay;
  readonly watch: ControlPlaneWatch;
  readonly standIn: StandIn;
  readonly copies: StandingCopies;
  readonly tunnels: OpenTunnels;
  /** Undefined in a sidecar. */
  readonly admission: Admission | undefined;
}

export interface RelayPiecesOptions {
  /** Asked for each use: they are replaced while the relay runs. */
  readonly keys: () => RelayKeys;
  readonly beside: readonly ((signal: AbortSignal) => Promise<void>)[];
  readonly onDataPlane:
    | ((seen: { readonly gatewayVersion: string; readonly plugins: readonly string[] }) => void)
    | undefined;
}

export async function createRelayPieces(get: Get, options: RelayPiecesOptions): Promise<RelayPieces> {
  const { beside, keys, onDataPlane } = options;
  const { settings } = get(Part.settings);
  const { relay: wanted, controlPlane, limits } = settings;
  if (controlPlane === undefined) throw noControlPlane();
  const [clock, log, random, findings] = [
    get(Part.clock),
    get(Part.log),
    get(Part.random),
    get(Part.findings),
  ];
  const addresses = controlPlane.addresses.map(parseAddress);
  const gatewayVersion = settings.gatewayVersions[0] ?? LIKELY_VERSION;
  const nodeHostname = hostname();
  const nodeId = nodeIdOf(settings.cluster, gatewayVersion, `relay ${nodeHostname} ${wanted.listen}`);
  const copies: StandingCopies = new StandingCopies({
    cluster: settings.cluster,
    gatewayVersions: settings.gatewayVersions,
    stores: await get(Part.stores),
    sealing: () => keys().sealing,
    trust: () => keys().trust,
    check: (restored, signal) =>
      validate(restored, {
        worker: get(Part.worker),
        now: clock.now(),
        maxDocumentBytes: limits.maxDocumentBytes,
        signal,
      }),
    cacheDirectory: wanted.cacheDirectory,
    limits,
    ...(wanted.minimumSequence !== undefined && { minimumSequence: wanted.minimumSequence }),
    clock,
    random,
    log,
    findings,
    onProvision: (version) => standIn.push(version),
  });
  const standIn: StandIn = new StandIn({
    identity: () => keys().identity,
    provision: (version) => copies.provision(version),
    versions: () => copies.versions(),
    clock,
    log,
    findings,
    limits: { maxConnections: wanted.maxConnections },
    onSeen: (seen) => {
      copies.learn(seen.gatewayVersion);
      onDataPlane?.(seen);
    },
  });
  const watch = new ControlPlaneWatch({
    addresses,
    look: createLook({ cluster: () => keys().cluster, gatewayVersion, nodeId, nodeHostname, clock }),
    form: wanted.form,
    tripMs: wanted.tripSeconds * 1000,
    stableMs: wanted.stableSeconds * 1000,
    maxStableMs: wanted.maxStableSeconds * 1000,
    clock,
    random,
    log,
    findings,
    onChange: (view, before) => {
      ownSession?.changed(view, before);
      relay.changed(view);
    },
  });
  const ownSession =
    wanted.form === 'service' && settings.gatewayVersions.length > 0
      ? new OwnSession({
          open: sessionOpener({
            controlPlane: () => keys().controlPlane,
            gatewayVersion,
            nodeId,
            nodeHostname,
            plugins: announcedPlugins(settings.source, gatewayVersion),
            clock,
          }),
          view: () => watch.view(),
          lookNow: () => watch.lookNow(),
          alarms: watch.alarms,
          clock,
          random,
        })
      : undefined;
  const admission = wanted.form === 'service' ? new Admission({ clock }) : undefined;
  const tunnels = new OpenTunnels();
  const relay = new Relay(
    { refreshMs: wanted.refreshSeconds * 1000, drainMs: wanted.drainSeconds * 1000 },
    {
      watch,
      admission,
      restartAdmission: () => admission?.restart(),
      standIn,
      copies,
      handBack: new HandBack({
        form: wanted.form,
        windowMs: wanted.handBackWindowSeconds * 1000,
        held: () => standIn.sessions().length,
        release: (count) => standIn.release(count),
        admitted: () => tunnels.opened,
        clock,
        random,
        log,
      }),
      openUpstream: (preferred, { signal, withinMs }) => {
        const connectMs = Math.min(CONNECT_MS, withinMs / addresses.length);
        return openUpstream(preferredFirst(addresses, preferred), { connectMs, clock, signal });
      },
      tunnels,
      beside: ownSession === undefined ? beside : [...beside, (signal) => ownSession.run(signal)],
      clock,
      log,
    },
  );
  return { relay, watch, standIn, copies, tunnels, admission };
}

/** For looks, where the settings name no version; a control plane takes any minor up to its own. */
const LIKELY_VERSION = '3.4.0';

function preferredFirst(addresses: readonly Address[], preferred: string | undefined): readonly Address[] {
  return [...addresses].sort((a, b) => Number(b.text === preferred) - Number(a.text === preferred));
}

function noControlPlane(): FallbackError {
  return new FallbackError('invalid', 'KF_NO_CONTROL_PLANE', 'controlPlane is not set', {
    hint: 'The relay needs controlPlane: { address, certificate, key }, as the data planes have them.',
  });
}
