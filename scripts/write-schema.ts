// Writes settings.schema.json: the core's settings with the entries of every built-in plugin. `npm run schema`.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BUILT_INS } from '../src/composition/built-ins.ts';
import { InstalledPlugins } from '../src/composition/plugin-catalogue.ts';
import { settingsJsonSchema } from '../src/config/schema.ts';
import type { PluginKind } from '../src/plugin/index.ts';

type Json = { [keyword: string]: unknown };

const FILE = new URL('../settings.schema.json', import.meta.url);

export async function settingsFileSchema(): Promise<Json> {
  const plugins = await pluginSchemas();
  const { $schema, title, ...core } = settingsJsonSchema();
  return {
    $schema,
    $id: 'https://unpkg.com/kongfallback/settings.schema.json',
    title,
    ...(forFile(core, plugins) as Json),
    $defs: { reference: REFERENCE },
  };
}

/** What may stand in place of any value. */
const REFERENCE: Json = {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that is described
  description: '${env:NAME} or ${file:PATH}, which may be a part of the text.',
  type: 'string',
  pattern: '\\$\\{(env|file):[^}]+\\}',
};

async function pluginSchemas(): Promise<Readonly<Record<PluginKind, Readonly<Record<string, Json>>>>> {
  const catalogue = new InstalledPlugins();
  const kinds = Object.entries(BUILT_INS).map(async ([kind, names]) => {
    const schemas = Object.keys(names).map(async (use) => {
      const plugin = await catalogue.load({ kind: kind as PluginKind, use, url: null });
      const schema = plugin.settings['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
      if (schema === undefined)
        throw new Error(`built-in ${kind} plugin ${use} does not describe its settings`);
      return [use, schema] as const;
    });
    return [kind, Object.fromEntries(await Promise.all(schemas))] as const;
  });
  return Object.fromEntries(await Promise.all(kinds)) as never;
}

/** A schema as it holds for the text of the file, where a reference may stand for any value. */
function forFile(schema: Json, plugins: Awaited<ReturnType<typeof pluginSchemas>>): Json {
  const { pluginKind, secret, ...rest } = schema;
  // A format that has a pattern beside it says nothing more, and strict validators know few formats.
  const { format: _format, ...unformatted } = rest;
  const node = rest['pattern'] === undefined ? rest : unformatted;
  const annotations = secret === true ? { writeOnly: true } : {};
  if (typeof pluginKind === 'string') return forEntry(node, plugins[pluginKind as PluginKind]);
  const inner = (value: unknown): unknown => (isJson(value) ? forFile(value, plugins) : value);
  const mapped: Json = { ...node, ...annotations };
  for (const keyword of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    const branches = mapped[keyword];
    if (Array.isArray(branches)) mapped[keyword] = branches.map(inner);
  }
  for (const keyword of ['items', 'additionalProperties']) mapped[keyword] = inner(mapped[keyword]);
  if (isJson(mapped['properties'])) {
    mapped['properties'] = Object.fromEntries(
      Object.entries(mapped['properties']).map(([key, value]) => [key, inner(value)]),
    );
  }
  const { description, default: usual, writeOnly, ...constraints } = withoutUndefined(mapped);
  const said = withoutUndefined({ description, default: usual, writeOnly });
  return isConstrainedScalar(constraints)
    ? { ...said, anyOf: [constraints, { $ref: '#/$defs/reference' }] }
    : { ...said, ...constraints };
}

/** Free text takes references anyway; lists and sections are no text. */
const isConstrainedScalar = ({ type, ...rest }: Json): boolean =>
  type === 'string'
    ? ['pattern', 'format', 'enum', 'const', 'allOf', 'maxLength'].some(
        (keyword) => rest[keyword] !== undefined,
      )
    : type === 'number' || type === 'integer' || type === 'boolean';

/** A bare name, or the core's keys and, for a built-in, exactly its own. */
function forEntry({ anyOf, ...node }: Json, plugins: Readonly<Record<string, Json>>): Json {
  const object = (anyOf as Json[]).find(({ type }) => type === 'object');
  const coreKeys = (forFile(object ?? {}, {} as never)['properties'] ?? {}) as Json;
  const names = Object.keys(plugins);
  const cases = Object.entries(plugins).map(([use, schema]) => {
    const { properties = {}, required = [] } = forFile(schema, {} as never);
    return {
      if: { type: 'object', properties: { use: { const: use } }, required: ['use'] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: {
        type: 'object',
        properties: { ...(properties as Json), ...keysOnly(coreKeys) },
        required: ['use', ...(required as string[])],
        additionalProperties: false,
      },
    };
  });
  return {
    ...node,
    anyOf: [
      { type: 'string', minLength: 1, examples: names },
      {
        type: 'object',
        properties: { ...coreKeys, use: { ...(coreKeys['use'] as Json), examples: names } },
        required: ['use'],
        allOf: cases,
      },
    ],
  };
}

const keysOnly = (properties: Json): Json =>
  Object.fromEntries(Object.keys(properties).map((key) => [key, true]));

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withoutUndefined = (node: Json): Json =>
  Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined));

export const asText = (schema: Json): string => `${JSON.stringify(schema, null, 2)}\n`;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(FILE, asText(await settingsFileSchema()));
}
