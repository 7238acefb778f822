import { type Entity, entitiesOf, isEntity, pathOf, shown } from './entity.ts';
import type { Warnings } from './warnings.ts';

interface Rule {
  /** The part after `outage-readiness/`. */
  readonly code: string;
  /** Field of `config` and the value that needs what is away; absent: the plugin always does. */
  readonly when?: readonly [field: string, value: string];
  readonly message: string;
  readonly hint: string;
}

const COUNTERS: Omit<Rule, 'when'> = {
  code: 'counters',
  message: 'keeps its counters in the database of the control plane, which a data plane does not have',
  hint: 'Use redis, or local if each node may count for itself.',
};
const BY_POLICY: readonly Rule[] = [{ ...COUNTERS, when: ['policy', 'cluster'] }];
const BY_STRATEGY: readonly Rule[] = [{ ...COUNTERS, when: ['strategy', 'cluster'] }];

/** Plugins whose state is in Kong's database (kong/plugins/*\/{schema,daos}.lua at 3.9.1; Enterprise from its public documentation). */
const RULES: ReadonlyMap<string, readonly Rule[]> = new Map<string, readonly Rule[]>([
  ['rate-limiting', BY_POLICY],
  ['response-ratelimiting', BY_POLICY],
  ['rate-limiting-advanced', BY_STRATEGY],
  ['graphql-rate-limiting-advanced', BY_STRATEGY],
  ['ai-rate-limiting-advanced', BY_STRATEGY],
  ['service-protection', BY_STRATEGY],
  [
    'oauth2',
    [
      {
        code: 'oauth2',
        message: 'issues and finds its tokens in the database of the control plane',
        hint: 'Without it no token is issued or revoked: use OpenID Connect, JWT or keys for what must survive an outage.',
      },
    ],
  ],
  [
    'acme',
    [
      {
        code: 'acme',
        when: ['storage', 'kong'],
        message: 'keeps its certificates in the database of the control plane',
        hint: 'Use storage redis, consul or vault, or put the certificates into the configuration.',
      },
      {
        code: 'acme',
        when: ['storage', 'shm'],
        message: 'keeps its certificates in the memory of one node, so a new node has none',
        hint: 'Use storage redis, consul or vault, or put the certificates into the configuration.',
      },
    ],
  ],
  [
    'session',
    [
      {
        code: 'session',
        when: ['storage', 'kong'],
        message: 'keeps its sessions in the database of the control plane',
        hint: 'Use storage cookie: the session is then with the client, encrypted.',
      },
    ],
  ],
]);

/** Plugins that need what is away in an outage. */
export function checkPlugins(table: Entity, warnings: Warnings): void {
  const plugins = entitiesOf(table, 'plugins');
  for (let position = 0; position < plugins.length; position++) {
    const plugin = plugins[position];
    if (!isEntity(plugin) || typeof plugin['name'] !== 'string' || plugin['enabled'] === false) continue;
    for (const rule of RULES.get(plugin['name']) ?? []) {
      if (!holds(rule, plugin['config'])) continue;
      warnings.add({
        code: `outage-readiness/${rule.code}`,
        message: `${shown('plugins', plugin, position)} ${rule.message}`,
        hint: rule.hint,
        path: pathOf(
          'plugins',
          plugin,
          position,
          rule.when === undefined ? 'name' : `config.${rule.when[0]}`,
        ),
      });
    }
  }
}

function holds({ when }: Rule, config: unknown): boolean {
  if (when === undefined) return true;
  const [field, value] = when;
  return isEntity(config) && Object.hasOwn(config, field) && config[field] === value;
}
