import { afterEach } from 'vitest';
import { type OpenControlPlaneOptions, openSession } from '../../../src/kong/open-session.ts';
import type { ControlPlaneSession } from '../../../src/kong/session.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { type CertificatePair, clusterCertificate } from '../../stand-in/certificates.ts';
import {
  type StandInControlPlane,
  type StandInOptions,
  startStandInControlPlane,
} from '../../stand-in/control-plane.ts';
import { recordedFrame } from '../../stand-in/frames.ts';

export const cluster: CertificatePair = clusterCertificate();
export const mixed = recordedFrame('control-plane/mixed/frame-1');

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** Time stands still unless a test moves it; the wall agrees with the certificates. */
export const stoppedClock = () => new FakeClock({ now: Date.now() });

export async function standIn(options: Partial<StandInOptions> = {}): Promise<StandInControlPlane> {
  const one = await startStandInControlPlane({ certificate: cluster, frames: mixed, ...options });
  open.push(one);
  return one;
}

export function sessionOptions(
  address: string,
  options: Partial<OpenControlPlaneOptions> = {},
): OpenControlPlaneOptions {
  return {
    controlPlane: { addresses: [address], ...cluster, mtls: 'shared' },
    gatewayVersion: '3.9.3',
    nodeId: '7f3b8f4e-0000-5000-8000-000000000001',
    nodeHostname: 'exporter-1',
    plugins: ['key-auth'],
    clock: stoppedClock(),
    signal: new AbortController().signal,
    ...options,
  };
}

export async function session(
  address: string,
  options: Partial<OpenControlPlaneOptions> = {},
): Promise<ControlPlaneSession> {
  const one = await openSession(sessionOptions(address, options));
  open.push(one);
  return one;
}

/** `kind code` of what a promise rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    const { code, hint, kind } = error as { kind: string; code: string; hint?: string };
    return `${kind} ${code}${hint === undefined && kind !== 'aborted' ? ' without a hint' : ''}`;
  }
  return 'no failure';
}
