import type {
  CallOptions,
  ConfigDocument,
  Finding,
  PluginContext,
  ValidationContext,
  Validator,
} from 'kongfallback/plugin';
import type { ShrinkageSettings } from './settings.ts';

type Counts = Readonly<Record<string, number>>;

const IN_A_FRESH_DATABASE = new Set(['workspaces', 'parameters']);

/**
 * Collections whose entities expire by themselves (Kong's ttl schemas: kong/plugins/*\/daos.lua at 3.9.1): a night
 * without logins empties them. `keyauth_credentials` admits a ttl too, but is a list of customers first.
 */
const EXPIRING = new Set(['oauth2_tokens', 'oauth2_authorization_codes', 'acme_storage', 'sessions']);

const HINT =
  'Look at the control plane: a restored or emptied database looks like this. If it is meant, run the export once with --accept-shrinkage and a reason.';

/** Stops a configuration that lost most of itself from replacing a good one. */
export class Shrinkage implements Validator {
  readonly #settings: ShrinkageSettings;
  readonly #plugin: PluginContext;

  constructor(settings: ShrinkageSettings, plugin: PluginContext) {
    this.#settings = settings;
    this.#plugin = plugin;
  }

  async validate(
    _document: ConfigDocument,
    { counts, previous }: ValidationContext,
    { signal }: CallOptions,
  ): Promise<readonly Finding[]> {
    if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before the counts were compared');
    if (isEmpty(counts)) return [empty()];
    if (previous === undefined) return [];
    return [...this.#collections(previous.counts, counts), ...this.#inAll(previous.counts, counts)];
  }

  #collections(before: Counts, now: Counts): Finding[] {
    return watched(before).flatMap(([name, had]) => {
      const has = countOf(now, name);
      if (!this.#isTooFew(had, has)) return [];
      const message = `${shown(name)} went from ${had} to ${has} entries, more than ${this.#settings.maxShrinkPercent} % fewer`;
      return [finding('shrinkage/collection', message, [name.slice(0, 64)])];
    });
  }

  #inAll(before: Counts, now: Counts): Finding[] {
    const had = sum(before);
    const has = sum(now);
    if (!this.#isTooFew(had, has)) return [];
    return [
      finding(
        'shrinkage/total',
        `all collections together went from ${had} to ${has} entries, more than ${this.#settings.maxShrinkPercent} % fewer`,
      ),
    ];
  }

  #isTooFew(had: number, has: number): boolean {
    const { maxShrinkPercent, minimumEntities } = this.#settings;
    return had >= minimumEntities && (had - has) * 100 > had * maxShrinkPercent;
  }
}

function isEmpty(counts: Counts): boolean {
  return Object.entries(counts).every(([name, count]) => count === 0 || IN_A_FRESH_DATABASE.has(name));
}

/** Entries of the collections that count. A count from elsewhere that is no number counts nothing. */
function watched(counts: Counts): [string, number][] {
  return Object.entries(counts).filter(
    ([name, count]) => !EXPIRING.has(name) && Number.isFinite(count) && count > 0,
  );
}

function sum(counts: Counts): number {
  return watched(counts).reduce((total, [, count]) => total + count, 0);
}

function countOf(counts: Counts, name: string): number {
  return Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;
}

const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const shown = (name: string): string => (PLAIN_NAME.test(name) ? name : JSON.stringify(name.slice(0, 40)));

function empty(): Finding {
  return finding(
    'shrinkage/empty',
    'the configuration holds nothing but workspaces and parameters: a data plane would answer 404 to everything',
  );
}

function finding(code: string, message: string, path?: string[]): Finding {
  return { code, severity: 'error', message, hint: HINT, acceptable: true, ...(path && { path }) };
}
