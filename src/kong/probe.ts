import { classify, type FallbackError } from '../errors/index.ts';
import type { Clock } from '../plugin/plugin.ts';
import { aborted, withDeadline } from '../resilience/index.ts';
import type { ControlPlaneSettings } from './control-plane-settings.ts';
import { peekFrame } from './frame.ts';
import { isGzip } from './gunzip.ts';
import { openSession } from './open-session.ts';
import type { ControlPlaneSession } from './session.ts';

export const DEFAULT_PROBE_MS = 10_000;
export const DEFAULT_PROBE_CONNECT_MS = 3000;

export interface ProbeOptions {
  readonly controlPlane: ControlPlaneSettings;
  readonly gatewayVersion: string;
  readonly nodeId: string;
  readonly nodeHostname: string;
  readonly plugins: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** In all, milliseconds; default 10 s. */
  readonly probeMs?: number;
  /** Until the WebSocket stands, for each address; default 3 s. */
  readonly connectMs?: number;
  readonly maxPayloadBytes?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type ControlPlaneHealth =
  | {
      readonly reachable: true;
      readonly address: string;
      readonly durationMs: number;
      /** Where the first kilobytes tell it. */
      readonly configHash?: string;
    }
  | {
      readonly reachable: false;
      /** A code of src/errors/README.md; KF_CP_NO_CONFIGURATION when it is there but sends nothing in time. */
      readonly reason: string;
      readonly message: string;
      readonly hint?: string;
      readonly durationMs: number;
    };

/**
 * Is there a control plane that would configure a data plane of this version? Only a configuration sent within
 * `probeMs` counts: a wrong "unreachable" costs a restore that the first push replaces, a wrong "reachable" is
 * the outage. Leaves no timer and no socket behind.
 *
 * @throws FallbackError `aborted` when the signal fires, and nothing else
 */
export async function probeControlPlane(options: ProbeOptions): Promise<ControlPlaneHealth> {
  const { clock, probeMs = DEFAULT_PROBE_MS, signal } = options;
  const startedAt = clock.monotonic();
  const ended = new AbortController();
  let session: ControlPlaneSession | undefined;
  const firstFrame = async (within: AbortSignal) => {
    const stop = () => ended.abort(within.reason);
    within.addEventListener('abort', stop, { once: true });
    session = await openSession({
      ...options,
      connectMs: options.connectMs ?? DEFAULT_PROBE_CONNECT_MS,
      // The deadline of the probe comes first, always.
      silenceMs: probeMs * 2,
      signal: ended.signal,
    });
    const first = await session.frames().next();
    return { address: session.address.text, bytes: first.value?.bytes ?? new Uint8Array() };
  };
  try {
    const { address, bytes } = await withDeadline(clock, probeMs, signal, 'probe', firstFrame);
    const durationMs = clock.monotonic() - startedAt;
    if (!isGzip(bytes)) return unreachable(notConfiguration(address), durationMs);
    const { configHash } = peekFrame(bytes);
    return { reachable: true, address, durationMs, ...(configHash !== undefined && { configHash }) };
  } catch (thrown) {
    if (signal.aborted) throw aborted(signal);
    return unreachable(classify(thrown, 'probe'), clock.monotonic() - startedAt, session, probeMs);
  } finally {
    ended.abort();
    await session?.close();
  }
}

const NO_CONFIGURATION = 'KF_CP_NO_CONFIGURATION';

function unreachable(
  error: Pick<FallbackError, 'code' | 'message' | 'hint'>,
  durationMs: number,
  session?: ControlPlaneSession,
  probeMs = 0,
): ControlPlaneHealth {
  const { code, hint, message } =
    error.code === 'KF_DEADLINE_EXCEEDED' ? noConfiguration(session, probeMs) : error;
  return {
    reachable: false,
    reason: code,
    message,
    ...(hint !== undefined && { hint }),
    durationMs,
  };
}

function noConfiguration(session: ControlPlaneSession | undefined, probeMs: number) {
  const seconds = probeMs / 1000;
  return {
    code: NO_CONFIGURATION,
    message:
      session === undefined
        ? `no control plane opened a session within ${seconds} s`
        : `${session.address.text} is connected but sent no configuration within ${seconds} s`,
    hint: 'A control plane is silent when a configured plugin is missing from our list, or when its database does not answer.',
  };
}

function notConfiguration(address: string) {
  return {
    code: NO_CONFIGURATION,
    message: `${address} sent something that is not a configuration`,
    hint: 'Is the address that of the control plane (cluster_listen)?',
  };
}
