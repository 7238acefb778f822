import type { BootstrapOutcome } from '../bootstrap/outcome.ts';
import type { BootstrapFlags } from './bootstrap-flags.ts';
import type { CommandIo } from './command-io.ts';
import { bootstrapJson, bootstrapLine } from './render-bootstrap.ts';
import { renderError } from './render-error.ts';

/** The outcome on standard output, why there is no configuration on standard error. */
export function report(
  outcome: BootstrapOutcome,
  { json }: Pick<BootstrapFlags, 'json'>,
  io: CommandIo,
  redact: (text: string) => string,
): void {
  if (json === true) io.stdout(`${redact(JSON.stringify(bootstrapJson(outcome)))}\n`);
  else io.stdout(redact(bootstrapLine(outcome)));
  if (outcome.error !== undefined) io.stderr(redact(renderError(outcome.error)));
}
