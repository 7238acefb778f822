import { compare } from '../comparison.ts';
import type { Fleet } from '../fleet.ts';
import { quoted } from '../measure.ts';
import { type Result, ratioResult } from '../result.ts';

const TARGET_AT = 100_000;
const TARGET = 1.5;

/**
 * `bootstrap --once` of an encrypted, signed snapshot in a directory to a file, the control plane's port closed,
 * against the same in standard tools without encryption. Both read a local file: curl's cheapest scheme.
 */
export async function bootstrapFile(fleet: Fleet, rounds: number): Promise<Result> {
  const copy = quoted(`${fleet.document}.copy`);
  const url = quoted(`file://${fleet.compressed}`);
  const comparison = await compare(
    {
      ours: fleet.cli('bootstrap', 'bootstrap --once'),
      peer: fleet.program('pipeline', `curl -s ${url} | gzip -d | tee ${copy} | openssl dgst -sha256`),
      reset: () => fleet.emptyNode(),
    },
    rounds,
  );
  await fleet.mustHaveApplied();
  const target = fleet.entities === TARGET_AT ? TARGET : null;
  const against = 'curl file:// | gzip -d | tee | openssl dgst -sha256';
  return ratioResult('bootstrap to a file', fleet.entities, comparison, against, target);
}
