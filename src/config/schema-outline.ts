import type { SettingPath } from './setting-path.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

/** Deeper nesting of anyOf and $ref than any settings schema has: stops a schema that refers to itself. */
const DEEPEST = 16;

/**
 * Reads a JSON Schema (draft 2020-12) the way the settings need it: which keys there are, which types a place
 * takes, whether it is secret. It does not validate; the plugin's or the core's own schema does.
 */
export class SchemaOutline {
  readonly #root: JsonSchema;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  /** Every schema that applies, or may apply, at a path; empty where the path leads nowhere. */
  at(path: SettingPath): readonly JsonSchema[] {
    let nodes = this.#expand([this.#root]);
    for (const part of path) nodes = this.#expand(nodes.flatMap((node) => childrenOf(node, part)));
    return nodes;
  }

  /** JSON types that a place takes; empty when it says nothing. */
  types(path: SettingPath): ReadonlySet<string> {
    const types = new Set<string>();
    for (const { type, const: constant, enum: values } of this.at(path)) {
      for (const name of Array.isArray(type) ? type : [type]) if (typeof name === 'string') types.add(name);
      for (const value of [constant, ...(Array.isArray(values) ? values : [])]) {
        if (value !== undefined) types.add(typeof value);
      }
    }
    return types;
  }

  /** Names of the properties at a path. */
  keys(path: SettingPath): readonly string[] {
    return [...new Set(this.at(path).flatMap((node) => Object.keys(propertiesOf(node))))];
  }

  /** True where only the listed keys are allowed: some schema lists keys, and none lets others in. */
  closed(path: SettingPath): boolean {
    const objects = this.at(path).filter((node) => isObject(node['properties']));
    return (
      objects.length > 0 &&
      objects.every(({ additionalProperties: more }) => more === undefined || more === false)
    );
  }

  /** True when a schema on the way to this place, or at it, says `secret: true`. */
  secret(path: SettingPath): boolean {
    return path
      .map((_, i) => path.slice(0, i + 1))
      .some((part) => this.at(part).some((node) => node['secret'] === true));
  }

  /** Value of a keyword at a place. */
  keyword(path: SettingPath, name: string): unknown {
    return this.at(path).find((node) => node[name] !== undefined)?.[name];
  }

  #expand(nodes: readonly JsonSchema[]): JsonSchema[] {
    const found: JsonSchema[] = [];
    const visit = (node: JsonSchema, depth: number): void => {
      found.push(node);
      if (depth === 0) return;
      for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
        const branches = node[keyword];
        if (Array.isArray(branches))
          for (const branch of branches) if (isObject(branch)) visit(branch, depth - 1);
      }
      const target = this.#refer(node['$ref']);
      if (target !== undefined) visit(target, depth - 1);
    };
    for (const node of nodes) visit(node, DEEPEST);
    return found;
  }

  #refer(reference: unknown): JsonSchema | undefined {
    if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
    let node: unknown = this.#root;
    for (const part of reference.slice(1).split('/').filter(Boolean)) {
      node = isObject(node) && Object.hasOwn(node, part) ? node[part] : undefined;
    }
    return isObject(node) ? node : undefined;
  }
}

function childrenOf(node: JsonSchema, part: string | number): JsonSchema[] {
  if (typeof part === 'number') {
    const prefix = node['prefixItems'];
    const item = Array.isArray(prefix) && part < prefix.length ? prefix[part] : node['items'];
    return isObject(item) ? [item] : [];
  }
  const properties = propertiesOf(node);
  const child = Object.hasOwn(properties, part) ? properties[part] : node['additionalProperties'];
  return isObject(child) ? [child] : [];
}

const propertiesOf = (node: JsonSchema): JsonSchema => {
  const properties = node['properties'];
  return isObject(properties) ? properties : {};
};

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
