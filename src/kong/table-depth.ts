/** Level by level instead of recursing, so that hostile nesting costs memory in proportion and no stack. */
export function isDeeperThan(value: object, limit: number): boolean {
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit) return true;
    const next: object[] = [];
    for (const holder of level) {
      if (Array.isArray(holder)) {
        for (const item of holder) if (typeof item === 'object' && item !== null) next.push(item);
        continue;
      }
      for (const key in holder) {
        const item = (holder as Record<string, unknown>)[key];
        if (typeof item === 'object' && item !== null) next.push(item);
      }
    }
    level = next;
  }
  return false;
}
