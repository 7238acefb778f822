import type { z } from 'zod';
import type { Problem } from './problem.ts';
import type { SchemaOutline } from './schema-outline.ts';
import { pathText, type SettingPath } from './setting-path.ts';
import { getAt } from './setting-tree.ts';
import { unknownKey } from './unknown-key.ts';

type Issue = z.core.$ZodIssue;

/**
 * What a zod schema found, in words: the path, and what is expected there.
 *
 * @param more keys that are known at the top besides those of the schema
 */
export function schemaProblems(
  issues: readonly Issue[],
  value: unknown,
  outline: SchemaOutline,
  more: readonly string[] = [],
): Problem[] {
  return issues.flatMap((issue) => inWords(issue, [], { value, outline, more }));
}

interface Words {
  readonly value: unknown;
  readonly outline: SchemaOutline;
  readonly more: readonly string[];
}

function inWords(issue: Issue, parent: SettingPath, words: Words): Problem[] {
  const path = [...parent, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  const got = getAt(words.value, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownSetting([...path, key], words));
    case 'invalid_union': {
      const branch = nearest(issue.errors);
      if (branch !== undefined) return branch.flatMap((inner) => inWords(inner, path, words));
      return [{ path, message: got === undefined ? required(issue.message, path, words) : issue.message }];
    }
    case 'invalid_type':
      if (got === undefined) return [{ path, message: required(issue.message, path, words) }];
      return [
        {
          path,
          message: `expected ${named(issue.expected)}, found ${typeName(got)}${quoting(issue.expected, got)}`,
        },
      ];
    case 'invalid_value':
      if (got === undefined) return [{ path, message: required(issue.message, path, words) }];
      return [{ path, message: `expected ${issue.values.map((item) => JSON.stringify(item)).join(' or ')}` }];
    case 'too_small':
    case 'too_big':
      return [{ path, message: issue.message.startsWith('expected') ? issue.message : bound(issue) }];
    default:
      return [{ path, message: issue.message }];
  }
}

function required(message: string, path: SettingPath, { outline }: Words): string {
  if (message.startsWith('is required')) return message;
  const description = outline.keyword(path, 'description');
  return description === undefined ? 'is required' : `is required: ${String(description).replace(/\.$/, '')}`;
}

/** The branch of a union that was meant: the one that got past the type of the value itself. */
function nearest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const meant = branches.filter((issues) => issues.every(isWithin));
  return meant.length === 1 ? meant[0] : undefined;
}

function isWithin(issue: Issue): boolean {
  if (issue.path.length > 0) return true;
  return issue.code === 'invalid_union' ? nearest(issue.errors) !== undefined : issue.code !== 'invalid_type';
}

function unknownSetting(path: SettingPath, { outline, more }: Words): Problem {
  const name = String(path.at(-1));
  const known = outline.keys(path.slice(0, -1));
  const problem = unknownKey(path, path.length === 1 ? [...known, ...more] : known);
  if (problem.message.includes('did you mean')) return problem;
  // Right name, wrong section: delaySeconds at the top.
  const elsewhere = outline.keys([]).flatMap((section) => {
    const at = [section, name];
    return outline.keys([section]).includes(name) ? [pathText(at)] : [];
  });
  return elsewhere.length === 0
    ? problem
    : { path, message: `is no setting here; did you mean ${elsewhere.join(' or ')}?` };
}

function bound(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  const [within, beyond] = issue.code === 'too_small' ? ['at least', 'more than'] : ['at most', 'less than'];
  const side = issue.inclusive === false ? beyond : within;
  const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
  return `expected ${side} ${limit}${unit}`;
}

const NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  object: 'settings (name: value)',
};
const named = (type: string): string => NAMES[type] ?? `a ${type}`;
const typeName = (value: unknown): string =>
  value === null ? 'nothing' : named(Array.isArray(value) ? 'array' : typeof value);
const quoting = (expected: string, got: unknown): string =>
  expected === 'string' && (typeof got === 'number' || typeof got === 'boolean') ? '; put it in quotes' : '';
