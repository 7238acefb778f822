import { classify } from '../../errors/index.ts';
import type { Address, ClusterCertificate } from '../../kong/index.ts';
import { openLink } from '../../kong/open-link.ts';
import type { UpgradedLink } from '../../kong/upgrade.ts';
import type { Clock } from '../../plugin/plugin.ts';
import { type Fault, fromError, type Observation } from '../observation.ts';

export interface LinkIdentity {
  readonly cluster: ClusterCertificate;
  readonly gatewayVersion: string;
  readonly nodeId: string;
  readonly nodeHostname: string;
  readonly clock: Clock;
}

export interface LinkSeen {
  readonly stands: boolean;
  /** The control plane's clock less ours; undefined: it tells none. */
  readonly clockOffsetMs: number | undefined;
  readonly seen: Observation;
}

/** A data plane's own time for connecting. */
const CONNECT_MS = 5000;
const CLOSE_WITHIN_MS = 1000;
/** No message is waited for. */
const MAX_PAYLOAD_BYTES = 1024;

/**
 * TCP, mutual TLS and the upgrade, as a data plane does them, and no `basic_info`: the control plane opens no session.
 *
 * @throws FallbackError the abort, and nothing else
 */
export async function controlPlaneLink(
  address: Address,
  identity: LinkIdentity,
  { severity, signal }: { readonly severity: Fault; readonly signal: AbortSignal },
): Promise<LinkSeen> {
  const { clock, cluster } = identity;
  const from = clock.monotonic();
  try {
    const link = await openLink(address, cluster, CONNECT_MS, {
      ...identity,
      maxPayloadBytes: MAX_PAYLOAD_BYTES,
      signal,
    });
    const ms = Math.round(clock.monotonic() - from);
    const theirs = link.peerClock.now();
    const clockOffsetMs = theirs === undefined ? undefined : theirs - clock.now();
    await leave(link, clock);
    const message = `${address.text} completed TLS and the upgrade in ${ms} ms`;
    return { stands: true, clockOffsetMs, seen: { severity: 'ok', code: 'control-plane-answers', message } };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const seen = fromError(classify(thrown, address.text), severity);
    return { stands: false, clockOffsetMs: undefined, seen };
  }
}

/** Says goodbye in order, so that the control plane logs no broken connection. */
async function leave({ websocket }: UpgradedLink, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => websocket.once('close', () => resolve()));
  websocket.on('error', () => {});
  websocket.resume();
  websocket.close();
  const bound = new AbortController();
  await Promise.race([closed, clock.sleep(CLOSE_WITHIN_MS, bound.signal).catch(() => {})]);
  bound.abort();
  websocket.terminate();
}
