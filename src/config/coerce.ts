import type { SchemaOutline } from './schema-outline.ts';
import type { SettingPath } from './setting-path.ts';

/**
 * Text from an environment variable, a flag or a reference as the type that the schema asks for. Text that does not
 * fit is returned as it is, and the schema then says what it expected. Lists are JSON, or parts between commas.
 */
export function coerce(text: string, outline: SchemaOutline, path: SettingPath): unknown {
  const types = outline.types(path);
  const trimmed = text.trim();
  if ((trimmed.startsWith('[') && types.has('array')) || (trimmed.startsWith('{') && types.has('object'))) {
    const parsed = parseJson(trimmed);
    if (parsed !== undefined) return parsed;
  }
  if (types.has('string')) return text;
  if ((types.has('number') || types.has('integer')) && /^-?\d{1,16}(\.\d{1,9})?$/.test(trimmed)) {
    return Number(trimmed);
  }
  if (types.has('boolean') && (trimmed === 'true' || trimmed === 'false')) return trimmed === 'true';
  if (types.has('array')) {
    return trimmed === '' ? [] : trimmed.split(',').map((part) => coerce(part.trim(), outline, [...path, 0]));
  }
  if (types.size === 0) return parseScalar(text);
  return text;
}

/** For a plugin that does not describe its settings: JSON where it is JSON, else the text itself. */
const parseScalar = (text: string): unknown =>
  /^(true|false|-?\d{1,15}(\.\d{1,9})?|\[.*\]|\{.*\})$/s.test(text) ? (parseJson(text) ?? text) : text;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw new Error('not a name of a setting');
      return value;
    });
  } catch {
    return undefined;
  }
}
