import type { Comparison, Spread } from './comparison.ts';

/** One line of the answer. */
export interface Result {
  readonly name: string;
  readonly entities: number;
  readonly unit: 'x' | 'MB' | 'ms' | 'requests';
  readonly value: Spread;
  /** The largest median that counts as met, where a target is set for this size. */
  readonly target: number | null;
  /** What the value is a ratio to, or how it was taken. */
  readonly against: string;
  /** CPU seconds behind a ratio. */
  readonly cpuSeconds: { readonly ours: Spread; readonly peer: Spread } | null;
}

export function ratioResult(
  name: string,
  entities: number,
  comparison: Comparison,
  against: string,
  target: number | null,
): Result {
  const { ours, peer, ratio } = comparison;
  return { name, entities, unit: 'x', value: ratio, target, against, cpuSeconds: { ours, peer } };
}

export const isMet = ({ target, value }: Result): boolean => target === null || value.median <= target;

export function resultLine(result: Result): string {
  const { against, cpuSeconds, entities, name, target, unit, value } = result;
  const figure = (number: number) => `${number.toFixed(unit === 'x' ? (number < 0.1 ? 4 : 2) : 0)} ${unit}`;
  const verdict = target === null ? '' : `${isMet(result) ? 'met   ' : 'MISSED'} <= ${target} ${unit}`;
  const cpu =
    cpuSeconds === null
      ? ''
      : `  [${cpuSeconds.ours.median.toFixed(3)} s : ${cpuSeconds.peer.median.toFixed(3)} s CPU]`;
  return [
    `${name}, ${entities} entities`.padEnd(46),
    figure(value.median).padStart(10),
    `(${figure(value.min)} .. ${figure(value.max)})`.padEnd(26),
    verdict.padEnd(20),
    `${against}${cpu}`,
  ].join(' ');
}
