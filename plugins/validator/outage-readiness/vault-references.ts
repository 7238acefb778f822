import { type Entity, entitiesOf, isEntity, isPlain, pathOf, shown } from './entity.ts';
import type { Warnings } from './warnings.ts';

/** Collections with fields that Kong marks `referenceable`; credentials of consumers are none. */
const REFERRING = ['plugins', 'certificates', 'ca_certificates', 'keys', 'vaults'];
/** Vaults of Kong that need no entity (kong/constants.lua at 3.9.1, Enterprise from its public documentation). */
const BUILT_IN = new Set(['env', 'aws', 'gcp', 'hcv', 'azure', 'conjur']);
/** Resolved on the node itself, from what it was started with. */
const LOCAL = 'env';
const REFERENCE = /^\{vault:\/\/([^/{}]{1,64})\/[^{}]*\}$/;
const DEEPEST = 32;
/** Different vaults of one document that are told apart. */
const MOST_VAULTS = 100;

/** References to vaults: those that nobody configured, and those that are somewhere else. */
export function checkVaults(table: Entity, warnings: Warnings): void {
  const backends = backendsOf(table);
  const uses = new Map<string, number>();
  for (const collection of REFERRING) {
    const entities = entitiesOf(table, collection);
    for (let position = 0; position < entities.length; position++) {
      const entity = entities[position];
      if (!isEntity(entity)) continue;
      for (const { vault, field } of referencesIn(entity) ?? []) {
        const backend = backends.get(vault) ?? (BUILT_IN.has(vault) ? vault : undefined);
        if (backend === undefined) {
          warnings.add({
            code: 'outage-readiness/vault-unknown',
            message: `${shown(collection, entity, position)} refers to ${named(vault)}, which is not configured`,
            hint: 'Create the vault, or correct its prefix in the reference: a node cannot resolve it.',
            path: pathOf(collection, entity, position, field),
          });
        } else if (backend !== LOCAL && (uses.has(vault) || uses.size < MOST_VAULTS)) {
          uses.set(vault, (uses.get(vault) ?? 0) + 1);
        }
      }
    }
  }
  for (const [vault, count] of uses) {
    const references = count === 1 ? '1 reference needs' : `${count} references need`;
    warnings.add({
      code: 'outage-readiness/vault-remote',
      message: `${references} ${named(vault)}, which is not on the node: while it is away a new node cannot resolve them`,
      hint: 'Make sure that the vault does not share the fate of the control plane: another region, another network.',
      path: ['vaults', isPlain(vault) ? vault : '?'],
    });
  }
}

/** prefix -> name of the backend. */
function backendsOf(table: Entity): ReadonlyMap<string, string> {
  const backends = new Map<string, string>();
  for (const vault of [...entitiesOf(table, 'vaults'), ...entitiesOf(table, 'vaults_beta')]) {
    if (!isEntity(vault)) continue;
    const { prefix, name } = vault;
    if (typeof prefix === 'string' && typeof name === 'string') backends.set(prefix, name);
  }
  return backends;
}

interface Reference {
  readonly vault: string;
  /** "config.redis": where in the entity, one level. */
  readonly field: string;
}

/** Nearly every entity has none: nothing is allocated for it. */
function referencesIn(value: object, depth = 0, field = '', found?: Reference[]): Reference[] | undefined {
  let all = found;
  for (const key in value) {
    const child: unknown = (value as Entity)[key];
    if (typeof child === 'string') {
      if (!child.startsWith('{vault://')) continue;
      const vault = REFERENCE.exec(child)?.[1];
      if (vault === undefined) continue;
      all ??= [];
      all.push({ vault, field: field === '' ? plain(key) : `${field}.${plain(key)}` });
    } else if (typeof child === 'object' && child !== null && depth < DEEPEST) {
      all = referencesIn(child, depth + 1, field === '' ? plain(key) : field, all);
    }
  }
  return all;
}

const plain = (key: string): string => (isPlain(key) ? key : '?');
const named = (vault: string): string => (isPlain(vault) ? `vault '${vault}'` : 'a vault');
