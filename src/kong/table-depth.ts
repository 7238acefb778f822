/**
 * Depth first, because a list of every level's values costs three times as much at a million of them; a stack holds
 * frames for any `limit` that a reader of JSON has.
 *
 * @param limit at most a few thousand: one frame of the stack for each
 */
export function isDeeperThan(holder: object, limit: number): boolean {
  if (limit === 0) return true;
  if (Array.isArray(holder)) {
    for (const item of holder) {
      if (typeof item === 'object' && item !== null && isDeeperThan(item, limit - 1)) return true;
    }
    return false;
  }
  for (const key in holder) {
    const item = (holder as Record<string, unknown>)[key];
    if (typeof item === 'object' && item !== null && isDeeperThan(item, limit - 1)) return true;
  }
  return false;
}
