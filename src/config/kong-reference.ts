/**
 * What a value stands for: itself, or `$NAME`, or `{vault://env/…}`.
 *
 * - `$NAME` as the whole value is the environment variable NAME, as in the snippets of Kong's how-to. Kong itself does
 *   not expand it.
 * - `{vault://env/my-secret}` is MY_SECRET behind the prefix, as Kong's environment vault reads it; with
 *   `/key` behind it, that member of the JSON object it holds.
 *
 * @param vaultPrefix Kong's `vault_env_prefix`
 * @throws a plain Error that names the variable or the vault, never a value
 */
export function resolveKongReference(
  value: string,
  env: Readonly<Record<string, string | undefined>>,
  vaultPrefix: string,
): string {
  const [, variable] = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(value) ?? [];
  if (variable !== undefined) return variableOf(variable, env);
  if (!value.startsWith('{vault://') || !value.endsWith('}')) return value;
  const [, vault, resource, key, query = ''] =
    /^\{vault:\/\/([\w-]{1,128})\/([\w-]{1,256})(?:\/([\w.-]{1,256}))?\/?(?:\?([^}]*))?\}$/.exec(value) ?? [];
  if (vault === undefined || resource === undefined) {
    throw new Error('is not a vault reference that can be read; expected {vault://env/name}');
  }
  if (vault !== 'env') {
    throw new Error(
      `refers to the vault ${vault}, which only Kong can read; give the value itself, a file, or {vault://env/name}`,
    );
  }
  const prefix = new URLSearchParams(query).get('prefix') ?? vaultPrefix;
  const name = `${prefix}${resource}`.replaceAll('-', '_').toUpperCase();
  const held = variableOf(name, env);
  return key === undefined ? held : memberOf(name, held, key);
}

function variableOf(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const value = env[name];
  if (value === undefined) throw new Error(`refers to the environment variable ${name}, which is not set`);
  if (value.trim() === '') throw new Error(`refers to the environment variable ${name}, which is empty`);
  return value;
}

function memberOf(name: string, held: string, key: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(held);
  } catch {
    // The parser's message would repeat a part of the secret.
  }
  const member =
    typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, key)
      ? (parsed as Record<string, unknown>)[key]
      : undefined;
  if (typeof member === 'string' && member !== '') return member;
  throw new Error(`refers to the text ${key} of a JSON object in ${name}, which does not hold it`);
}
