// One snapshot, an empty cache, and every byte of what is stored changed or cut: the command line as it is, in this
// process, because it runs some thousand times.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { Site } from '../e2e/site.ts';

const DOCUMENT = JSON.stringify({
  _format_version: '3.0',
  _transform: false,
  workspaces: [{ id: '0dc6f45b-8f8d-40d2-a504-473544ee190b', name: 'default' }],
  services: [{ id: 'd2f0f1f3-6a0e-4d4b-9c2a-2f9d3b8f1c11', name: 'orders', host: 'orders.internal' }],
});
const FORMER = '{"what":"was there before"}';
/** src/errors/README.md: corrupt, denied (a changed key id or encryption), unsupported (a changed version). */
const REFUSED = new Set([12, 11, 2]);

describe('a signed and encrypted store', () => {
  let site: Site;
  let stored: { path: string; bytes: Buffer }[];

  beforeAll(async () => {
    site = new Site({
      settings: {
        source: { use: 'file', path: 'document.json' },
        validators: ['kong-schema'],
        log: { level: 'error' },
      },
    });
    site.write('document.json', DOCUMENT);
    expect(await command('export', '--once')).toBe(0);
    const found = await readdir(site.store, { recursive: true, withFileTypes: true });
    stored = found
      .filter((item) => item.isFile() && !item.name.startsWith('.'))
      .map((item) => join(item.parentPath, item.name))
      .map((path) => ({ path, bytes: readFileSync(path) }));
  });

  afterAll(() => site.remove());

  const command = (...args: string[]): Promise<number> =>
    main([...args, '--json'], {
      cwd: site.directory,
      env: {},
      terminal: false,
      stdout: () => {},
      stderr: () => {},
    });

  async function bootstrap(): Promise<number> {
    rmSync(site.cache, { recursive: true, force: true });
    writeFileSync(site.target, FORMER);
    return command('bootstrap', '--once');
  }

  it('applies what is stored when nothing was changed', async () => {
    expect(stored).toHaveLength(2);
    expect(await bootstrap()).toBe(0);
    expect(readFileSync(site.target, 'utf8')).toBe(DOCUMENT);
  });

  async function refuses(what: string, path: string, bytes: Uint8Array): Promise<string | undefined> {
    writeFileSync(path, bytes);
    const code = await bootstrap();
    if (!REFUSED.has(code)) return `${what}: exit code ${code}`;
    if (readFileSync(site.target, 'utf8') !== FORMER) return `${what}: the target was changed`;
    return undefined;
  }

  it('refuses every changed byte and every cut, and leaves the target as it was', async () => {
    let [flips, cuts] = [0, 0];
    const wrong: string[] = [];
    const note = (found: string | undefined) => {
      if (found !== undefined) wrong.push(found);
    };
    for (const { path, bytes } of stored) {
      const name = path.slice(site.store.length);
      for (let offset = 0; offset < bytes.length; offset++) {
        const flipped = Buffer.from(bytes);
        flipped.writeUInt8(bytes.readUInt8(offset) ^ (1 << (offset % 8)), offset);
        note(await refuses(`${name} flipped at ${offset}`, path, flipped));
        flips++;
        note(await refuses(`${name} cut to ${offset}`, path, bytes.subarray(0, offset)));
        cuts++;
      }
      writeFileSync(path, bytes);
    }
    console.log(`${flips} flips and ${cuts} cuts refused`);
    expect(wrong).toEqual([]);
    expect(flips).toBe(stored.reduce((sum, { path }) => sum + statSync(path).size, 0));
    expect(existsSync(site.target)).toBe(true);
  }, 600_000);
});
