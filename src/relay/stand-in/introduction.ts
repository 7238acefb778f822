import type { FallbackError } from '../../errors/index.ts';
import { refusal } from './refusal.ts';

/** What a data plane says of itself in its first message, as far as the stand-in needs it. */
export interface Introduction {
  /** Names. */
  readonly plugins: ReadonlySet<string>;
}

const MAX_PLUGINS = 1024;
const MAX_NAME_CHARACTERS = 128;
const VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}[\w.+-]{0,32}$/;

/** @throws FallbackError KF_RELAY_BASIC_INFO_INVALID */
export function readIntroduction(data: Buffer, isBinary: boolean): Introduction {
  if (!isBinary) throw invalid('came as text');
  const message = parse(data);
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw invalid('is not a JSON object');
  }
  if (own(message, 'type') !== 'basic_info') throw invalid('is not of type basic_info');
  const plugins = own(message, 'plugins');
  if (!Array.isArray(plugins) || plugins.length > MAX_PLUGINS) throw invalid('has no list of plugins');
  return { plugins: new Set(plugins.flatMap(nameOf)) };
}

/** As a control plane checks it: major.minor.patch and whatever follows. */
export function isGatewayVersion(version: string): boolean {
  return VERSION.test(version);
}

/** Every name of `needed` that a data plane does not list. */
export function missingPlugins(needed: readonly string[], introduction: Introduction): string[] {
  return needed.filter((name) => !introduction.plugins.has(name));
}

function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    throw invalid('is not JSON');
  }
}

function nameOf(plugin: unknown): string[] {
  if (typeof plugin !== 'object' || plugin === null) return [];
  const name = own(plugin, 'name');
  return typeof name === 'string' && name.length <= MAX_NAME_CHARACTERS ? [name] : [];
}

/** A `__proto__` in the message must not answer for a member that is not there. */
function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
}

function invalid(what: string): FallbackError {
  return refusal('KF_RELAY_BASIC_INFO_INVALID', `the first message of a data plane ${what}`);
}
