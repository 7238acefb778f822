import type { ServiceRelay } from '../observe/relay-state.ts';
import type { RelayPieces } from './relay.ts';

/** What there is to tell of a running relay at this moment. */
export function relayFacts(pieces: RelayPieces): ServiceRelay {
  const { admission, copies, relay, standIn, tunnels, watch } = pieces;
  const { address, message, reason, since, verdict } = watch.view();
  const sessions: Record<string, number> = {};
  for (const { state } of standIn.sessions()) sessions[state] = (sessions[state] ?? 0) + 1;
  const { bytesSent, refused } = standIn.state();
  return {
    verdict,
    since,
    reason,
    message,
    address: address ?? null,
    breaker: watch.breakerState,
    held: relay.held,
    tunnels: { open: tunnels.count, opened: tunnels.opened },
    admission: admission?.state() ?? null,
    standIn: { sessions, bytesSent, refused },
    copies: copies.status(),
  };
}
