import type { DependencyContainer } from 'tsyringe';
import type { Clock } from '../plugin/plugin.ts';
import type { Source } from '../plugin/source.ts';
import type { Target } from '../plugin/target.ts';
import type { Random } from '../resilience/index.ts';
import { Part } from './parts.ts';
import { provide } from './tokens.ts';

/** Parts that an embedding program, or a test, gives in place of those that the settings ask for. */
export interface PartOverrides {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly source?: Source;
  readonly target?: Target;
}

/** Before the first part is used: a part that was made already stays. */
export function override(parts: DependencyContainer, overrides: PartOverrides): DependencyContainer {
  const { clock, random, source, target } = overrides;
  if (clock !== undefined) provide(parts, Part.clock, () => clock);
  if (random !== undefined) provide(parts, Part.random, () => random);
  if (source !== undefined) provide(parts, Part.source, async () => source);
  if (target !== undefined) provide(parts, Part.target, async () => target);
  return parts;
}
