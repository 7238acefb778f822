/** The last moment that a head can hold: years have four digits there. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The earlier of what is known and what a validator returned.
 *
 * @throws TypeError for anything but a time: a validator that cannot say what it found has failed
 */
export function earliest(known: string | null, returned: unknown): string | null {
  if (returned === undefined) return known;
  if (typeof returned !== 'number' || !Number.isFinite(returned)) {
    throw new TypeError('its loadableUntil is neither undefined nor milliseconds since 1970');
  }
  if (returned > END_OF_TIME) return known;
  const time = new Date(Math.max(0, returned)).toISOString();
  return known === null || time < known ? time : known;
}
