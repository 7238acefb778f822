import type { BootstrapOutcome } from '../bootstrap/outcome.ts';
import { age } from '../observe/age.ts';
import { escapeControls } from '../observe/index.ts';
import { entities } from './render-counts.ts';
import { errorJson } from './render-error.ts';

/** For a person: one line, and one per finding. */
export function bootstrapLine(outcome: BootstrapOutcome): string {
  const { origin, message, gatewayVersion, reason, applied, counts, sequence, ageSeconds, store, findings } =
    outcome;
  const facts = [
    `gateway ${gatewayVersion}`,
    ...(origin === 'control-plane' ? [] : [`${origin === 'node' ? 'node' : 'control plane'}: ${reason}`]),
    ...(store === null ? [] : [`storage ${store}`]),
    ...(sequence === null ? [] : [`sequence ${sequence}`]),
    ...(ageSeconds === null ? [] : [`as of ${age(ageSeconds)} ago`]),
    ...(counts === null ? [] : [entities(counts)]),
    ...(applied === null ? [] : [applied]),
    `${outcome.timings['totalMs']} ms`,
  ];
  const lines = [`origin: ${origin}; ${message} (${facts.join(', ')})`];
  for (const { code, message: what, severity } of findings) {
    lines.push(`  ${severity}: ${escapeControls(what)} [${code}]`);
  }
  return `${lines.join('\n')}\n`;
}

export function bootstrapJson(outcome: BootstrapOutcome): object {
  const { error, ...rest } = outcome;
  return error === undefined ? rest : { ...rest, error: errorJson(error) };
}
