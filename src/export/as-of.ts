/**
 * Since when a received configuration is known to be what the control plane holds, by the store's clock:
 * the moment of arrival less the frame's age by the control plane's own clock, so that skew cancels
 * (reliability.md, "Which configuration is newer", rule 2). A control plane with a dead database sends its cached
 * payload with the old timestamp, and is found out by it.
 *
 * @param arrival store's clock at the arrival, milliseconds since 1970
 * @param peerTime control plane's clock at the arrival, milliseconds since 1970; undefined: not told
 * @param frameTimestamp the frame's `timestamp`, seconds since 1970 with fractions; null: it carries none
 */
export function asOf(arrival: number, peerTime: number | undefined, frameTimestamp: number | null): number {
  if (peerTime === undefined || frameTimestamp === null) return arrival;
  return arrival - Math.max(0, peerTime - frameTimestamp * 1000);
}
