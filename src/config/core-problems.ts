import type { z } from 'zod';
import type { Problem } from './problem.ts';
import type { SchemaOutline } from './schema-outline.ts';
import { pathText, type SettingPath } from './setting-path.ts';
import { getAt } from './setting-tree.ts';
import { unknownKey } from './unknown-key.ts';

type Issue = z.core.$ZodIssue;

/** What the core schema found, in words: the path, and what is expected there. */
export function coreProblems(issues: readonly Issue[], value: unknown, outline: SchemaOutline): Problem[] {
  return issues.flatMap((issue) => inWords(issue, [], value, outline));
}

function inWords(issue: Issue, parent: SettingPath, value: unknown, outline: SchemaOutline): Problem[] {
  const path = [...parent, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  const got = getAt(value, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownSetting([...path, key], outline));
    case 'invalid_union': {
      const branch = nearest(issue.errors);
      return branch === undefined
        ? [{ path, message: issue.message }]
        : branch.flatMap((inner) => inWords(inner, path, value, outline));
    }
    case 'invalid_type':
      if (got === undefined)
        return [
          {
            path,
            message: issue.message.startsWith('is required')
              ? issue.message
              : `is required: ${sentence(outline.keyword(path, 'description'))}`,
          },
        ];
      return [
        {
          path,
          message: `expected ${article(issue.expected)}, found ${typeName(got)}${quoting(issue.expected, got)}`,
        },
      ];
    case 'invalid_value':
      return [{ path, message: `expected ${issue.values.map((item) => JSON.stringify(item)).join(' or ')}` }];
    case 'too_small':
    case 'too_big':
      return [{ path, message: issue.message.startsWith('expected') ? issue.message : bound(issue) }];
    default:
      return [{ path, message: issue.message }];
  }
}

/** The branch of a union that was meant: the one whose errors lie deeper than the value itself. */
function nearest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const meant = branches.filter((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code !== 'invalid_type'),
  );
  return meant.length === 1 ? meant[0] : undefined;
}

function unknownSetting(path: SettingPath, outline: SchemaOutline): Problem {
  const name = String(path.at(-1));
  const problem = unknownKey(path, outline.keys(path.slice(0, -1)));
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
  const side = issue.code === 'too_small' ? 'at least' : 'at most';
  const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
  return `expected ${side} ${limit}${unit}`;
}

const sentence = (description: unknown): string =>
  String(description ?? 'it has no default').replace(/\.$/, '');
const article = (type: string): string =>
  /^[aeiou]/.test(type) && type !== 'undefined' ? `an ${type}` : `a ${type}`;
const typeName = (value: unknown): string =>
  value === null ? 'nothing' : Array.isArray(value) ? 'a list' : article(typeof value);
const quoting = (expected: string, got: unknown): string =>
  expected === 'string' && (typeof got === 'number' || typeof got === 'boolean') ? '; put it in quotes' : '';
