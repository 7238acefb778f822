import type { Finding } from '../plugin/index.ts';

/** What a refused configuration's record can hold (src/snapshot/FORMAT.md §6). */
const MAX_FINDINGS = 200;
const MAX_TEXT = 1000;
const MAX_PATH = 16;

/**
 * What a validator returned, as plain bounded values that can cross to the main thread.
 *
 * @throws TypeError for anything but findings: a validator that cannot say what it found has failed
 */
export function plainFindings(returned: unknown): readonly Finding[] {
  if (!Array.isArray(returned)) throw new TypeError('it returned no array of findings');
  return bounded(returned.map(plainFinding));
}

/** Errors first, so that no flood of warnings hides a refusal. */
export function bounded(findings: readonly Finding[]): readonly Finding[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  return [...errors, ...warnings].slice(0, MAX_FINDINGS);
}

function plainFinding(returned: unknown): Finding {
  const { code, severity, message, hint, path, acceptable } = (returned ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') {
    throw new TypeError('a finding without code and message');
  }
  if (severity !== 'error' && severity !== 'warning') {
    throw new TypeError('a finding whose severity is neither error nor warning');
  }
  return {
    code: clip(code),
    severity,
    message: clip(message),
    ...(typeof hint === 'string' && { hint: clip(hint) }),
    ...(Array.isArray(path) && { path: path.slice(0, MAX_PATH).map((part) => clip(String(part))) }),
    ...(acceptable === true && { acceptable }),
  };
}

const clip = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
