import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT_CODE_OF_KIND } from '../../src/errors/index.ts';
import { ROOT, read, tableRows } from './repository.ts';

const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);

describe('documents', () => {
  it.each(['README.md', 'ARCHITECTURE.md', 'DESIGN.md', 'CONTRIBUTING.md', 'src/snapshot/FORMAT.md'])(
    '%s links and names only what exists',
    (document) => {
      const text = read(document);
      const folder = document.includes('/') ? document.slice(0, document.lastIndexOf('/')) : '.';
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) =>
        join(folder, path ?? ''),
      );
      const named = [...text.matchAll(/`((?:src|plugins|test|examples|scripts)\/[\w./-]+)`/g)].map(
        ([, path]) => path ?? '',
      );
      const missing = [...links, ...named].filter((path) => !existsSync(join(ROOT, path)));
      expect(missing).toEqual([]);
      expect(links.length + named.length).toBeGreaterThan(0);
    },
  );

  it.each(['README.md', 'CONTRIBUTING.md'])('%s names only scripts that package.json has', (document) => {
    const run = [...read(document).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(run.filter((name) => !scripts.includes(name))).toEqual([]);
    expect(run.length).toBeGreaterThan(0);
  });

  it("README's exit codes are those of the code", () => {
    const codes = new Set(
      tableRows(read('README.md'))
        .map(([code]) => Number(code))
        .filter(Number.isInteger),
    );
    for (const code of Object.values(EXIT_CODE_OF_KIND)) expect(codes).toContain(code);
  });

  it('no document or source carries a path of a machine or the address of a registry', () => {
    for (const document of ['README.md', 'ARCHITECTURE.md', 'DESIGN.md', 'package-lock.json', '.npmrc']) {
      expect(read(document)).not.toMatch(/\/home\/|\/root\/|\/work\/|"resolved": "http/);
    }
  });
});
