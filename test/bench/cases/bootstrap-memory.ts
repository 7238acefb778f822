import { spread } from '../comparison.ts';
import type { Fleet } from '../fleet.ts';
import { peakMemoryMb } from '../measure.ts';
import type { Result } from '../result.ts';

const TARGET_AT = 1_000_000;
const TARGET_MB = 120;

/** Peak resident memory of a bootstrap that verifies, decrypts and writes, in runs of their own. */
export async function bootstrapMemory(fleet: Fleet, rounds: number): Promise<Result> {
  const peaks: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await fleet.emptyNode();
    peaks.push(await peakMemoryMb(fleet.cli('bootstrap', 'bootstrap --once')));
  }
  await fleet.mustHaveApplied();
  return {
    name: 'bootstrap, peak memory',
    entities: fleet.entities,
    unit: 'MB',
    value: spread(peaks),
    target: fleet.entities === TARGET_AT ? TARGET_MB : null,
    against: 'process.resourceUsage().maxRSS at exit',
    cpuSeconds: null,
  };
}

const TARGET_GROWTH_MB = 10;

/** How much more a million entities take than a hundred thousand. */
export function memoryGrowth(results: readonly Result[]): Result[] {
  const at = (entities: number) =>
    results.find((result) => result.name === 'bootstrap, peak memory' && result.entities === entities);
  const [small, large] = [at(100_000), at(TARGET_AT)];
  if (small === undefined || large === undefined) return [];
  return [
    {
      name: 'bootstrap, memory above that at 100k',
      entities: TARGET_AT,
      unit: 'MB',
      value: spread([large.value.median - small.value.median]),
      target: TARGET_GROWTH_MB,
      against: 'difference of the two medians',
      cpuSeconds: null,
    },
  ];
}
