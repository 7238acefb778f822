import type { Held } from './standing-copy-held.ts';

export interface StandingCopyStatus {
  readonly gatewayVersion: string;
  /** Of the head it comes from; null, as the others: there is nothing to serve. */
  readonly sequence: number | null;
  readonly origin: 'storage' | 'cache' | null;
  readonly configHash: string | null;
  /** Since when it is known to be the control plane's; ISO 8601. */
  readonly asOf: string | null;
  /** When an exporter wrote the head; ISO 8601. */
  readonly aliveAt: string | null;
  /** When a store last gave a head that counts; milliseconds since 1970, null: not since the start. */
  readonly checkedAt: number | null;
  readonly frameBytes: number;
}

export function standingCopyStatus(
  gatewayVersion: string,
  held: Held | undefined,
  checkedAt: number | null,
): StandingCopyStatus {
  const { provision, head, entry } = held ?? {};
  return {
    gatewayVersion,
    sequence: provision?.sequence ?? null,
    origin: provision?.origin ?? null,
    configHash: provision?.configHash ?? null,
    asOf: entry?.asOf ?? null,
    aliveAt: head?.aliveAt ?? null,
    checkedAt,
    frameBytes: provision?.frame.length ?? 0,
  };
}
