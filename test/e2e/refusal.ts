import { dirname } from 'node:path';
import { expect } from 'vitest';
import type { CliOptions, CliResult } from './cli.ts';
import type { Site } from './site.ts';
import { treeOf } from './tree.ts';

export interface Refusal {
  readonly exit: number;
  /** The `KF_…` code of the one error. */
  readonly code: string;
  /** Must occur in the message: what it is about. */
  readonly names?: string | RegExp;
  /** Must occur in the hint: what to do. */
  readonly hint?: string | RegExp;
}

/**
 * Runs a command twice at once, for a person and with `--json`, and holds both against what any refusal owes: the exit
 * code, one message with its code and a hint, no stack, no secret, and the store and the target as they were.
 */
export async function expectRefusal(
  site: Site,
  args: readonly string[],
  expected: Refusal,
  options: Partial<CliOptions> = {},
): Promise<{ readonly text: CliResult; readonly json: CliResult }> {
  const before = placesOf(site);
  const [text, json] = await Promise.all([
    site.run(args, options),
    site.run([...args, '--json'], options),
  ] as const);
  expect(placesOf(site)).toEqual(before);
  for (const result of [text, json]) {
    expect(result.code, result.stderr + result.stdout).toBe(expected.exit);
    expectNoSecret(result, site.secrets);
    expect(result.stderr + result.stdout).not.toMatch(/\n {4}at /);
  }
  const messages = text.stderr.split('\n').filter((line) => line.startsWith('error: '));
  expect(messages, text.stderr).toHaveLength(1);
  const [, message = '', hint = ''] = /^error: ([\s\S]*?)\n {2}hint: (.+)\n/m.exec(text.stderr) ?? [];
  expect(message, text.stderr).toContain(`[${expected.code}]`);
  expect(hint.length, `no hint: ${text.stderr}`).toBeGreaterThan(20);
  if (expected.names !== undefined) expect(message).toMatch(expected.names);
  if (expected.hint !== undefined) expect(hint).toMatch(expected.hint);
  expectJsonOrNothing(json);
  return { text, json };
}

/** Standard output of `--json` is for programs: one object, or nothing at all. */
export function expectJsonOrNothing(result: CliResult): void {
  if (result.stdout !== '') expect(result.json()).toBeTypeOf('object');
}

/** Neither as they are, nor as they would stand in a URL, in JSON or in a header. */
export function expectNoSecret({ stdout, stderr }: CliResult, secrets: readonly string[]): void {
  const output = stdout + stderr;
  for (const secret of secrets) {
    const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
    for (const form of [secret, encodeURIComponent(secret), base64]) {
      expect(output.includes(form), `a secret was printed: ${form.slice(0, 6)}…`).toBe(false);
    }
  }
  expect(secrets.length).toBeGreaterThan(0);
}

const placesOf = (site: Site): object => ({ ...treeOf(site.store), ...treeOf(dirname(site.target)) });
