import { plainText } from './plain-text.ts';

/** A real one has a few kilobytes; what is longer is not looked into. */
const MAX_PARSED_BYTES = 65_536;

/** What a data plane's `error` message says (konnect_mode, from 3.6), fit for a log. */
export function describeErrorMessage(data: Buffer): Readonly<Record<string, string>> {
  if (data.length > MAX_PARSED_BYTES) return { error: `a message of ${data.length} bytes` };
  let error: unknown;
  try {
    error = (JSON.parse(data.toString('utf8')) as { error?: unknown } | null)?.error;
  } catch {
    return { error: 'not JSON' };
  }
  if (typeof error !== 'object' || error === null) return { error: 'unknown' };
  const told = (name: string): string | undefined => {
    const value = Object.hasOwn(error, name) ? (error as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' ? plainText(value) : undefined;
  };
  const [name = 'unknown', reason, configHash] = [told('name'), told('message'), told('config_hash')];
  return {
    error: name,
    ...(reason !== undefined && { reason }),
    ...(configHash !== undefined && { configHash }),
  };
}
