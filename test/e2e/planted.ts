import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { CliResult } from './cli.ts';

/** Characters that stand unlike in JSON, URLs, base64 and a shell; unlike each time. */
const word = (): string => `p1@nt/${randomBytes(9).toString('hex')}+"é&%=`;

/** Cut out of the middle, so that also a message that was cut to size is noticed. */
const PIECE_CHARACTERS = 24;

/** Secrets that a test put somewhere, and all that was heard of the processes that hold them. */
export class Planted {
  readonly #forms = new Map<string, readonly string[]>();
  readonly #heard: { readonly where: string; readonly text: string }[] = [];

  /** A new one. @param ascii for places that take no other character */
  word(name: string, ascii = false): string {
    return this.add(name, ascii ? `p1ant.${randomBytes(12).toString('hex')}` : word());
  }

  add(name: string, secret: string): string {
    this.#forms.set(name, formsOf(secret));
    return secret;
  }

  /** Each line of its body. */
  addPem(name: string, pem: string): string {
    const lines = pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
    for (const [index, line] of lines.entries()) this.add(`${name} line ${index + 1}`, line);
    return pem;
  }

  get size(): number {
    return this.#forms.size;
  }

  /** What nobody heard is no proof. */
  get heard(): readonly string[] {
    return this.#heard.map(({ where }) => where);
  }

  hear(where: string, text: string): void {
    this.#heard.push({ where, text });
  }

  hearAll(where: string, { stdout, stderr }: CliResult): void {
    this.hear(`${where}: stdout`, stdout);
    this.hear(`${where}: stderr`, stderr);
  }

  /** Title and arguments of a process and of all below it; environments are private to a user. */
  hearTitles(pid: number): void {
    this.hear(`title of ${pid}`, titles(pid).join('\n'));
  }

  /** Every answer of a process. */
  async hearHttp(where: string, address: string): Promise<void> {
    for (const path of ['/status', '/health', '/health/ready', '/health/live', '/metrics', '/nowhere']) {
      const answer = await fetch(`http://${address}${path}`);
      this.hear(`${where}: ${path}`, `${JSON.stringify([...answer.headers])}\n${await answer.text()}`);
    }
  }

  expectSilence(): void {
    const found = this.#heard.flatMap(({ where, text }) =>
      [...this.#forms].flatMap(([name, forms]) => {
        const form = forms.find((one) => text.includes(one));
        return form === undefined ? [] : `${name} in ${where}: …${around(text, form)}…`;
      }),
    );
    expect(found).toEqual([]);
  }
}

function around(text: string, form: string): string {
  const at = text.indexOf(form);
  return text.slice(Math.max(0, at - 160), at + form.length + 40);
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const middle = Math.max(0, Math.floor((secret.length - PIECE_CHARACTERS) / 2));
  const escaped = encodeURIComponent(secret);
  return [
    secret,
    secret.slice(middle, middle + PIECE_CHARACTERS),
    escaped,
    escaped.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('base64url').slice(0, -2),
    // Wherever it stands in something longer: each of the three places in a group, without what mixes with neighbours.
    ...[0, 1, 2].map((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .replace(/=+$/, '');
      return text.slice(shift === 0 ? 0 : 4, -2);
    }),
  ].filter((form) => form.length >= 12);
}

function titles(pid: number): string[] {
  try {
    const own = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const below = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return [own, ...below.filter((child) => child !== '').flatMap((child) => titles(Number(child)))];
  } catch {
    return [];
  }
}
