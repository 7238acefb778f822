// biome-ignore-all lint/suspicious/noTemplateCurlyInString: source text is what is looked for
// src/observe/README.md against the code, both ways.
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../src/observe/metrics-catalogue.ts';
import { filesBelow, read, tableRows } from './repository.ts';

const README = read('src/observe/README.md');

/** Rows of the tables below one heading, by their first cell. */
function documented(heading: string): Map<string, readonly string[]> {
  const section = README.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = tableRows(section).filter(([first]) => first?.startsWith('`') === true);
  return new Map(rows.map(([first = '', ...rest]) => [first.replaceAll('`', ''), rest]));
}

const sources = ['src', 'plugins']
  .flatMap((folder) => filesBelow(folder, '.ts'))
  .map((path) => ({ path, text: read(path) }));

/** Names that are put together when they are logged. */
const DYNAMIC: Readonly<Record<string, readonly string[]>> = {
  'export.${outcome.outcome}': ['published', 'confirmed', 'unchanged', 'refused', 'older', 'held'].map(
    (outcome) => `export.${outcome}`,
  ),
  'export.${decision.action}': ['export.older', 'export.held'],
};

describe('events', () => {
  const table = documented('Events');
  const found = sources.flatMap(({ text }) =>
    [...text.matchAll(/\bevent: (?:'([^']+)'|`([^`]+)`)(?=\s*[,}])/g)].map(
      ([, plain, dynamic]) => plain ?? dynamic ?? '',
    ),
  );
  const logged = new Set(found.flatMap((name) => (name.includes('${') ? (DYNAMIC[name] ?? [name]) : [name])));

  it('there are some', () => expect(logged.size).toBeGreaterThan(30));

  it('every one that is logged is documented', () => {
    expect([...logged].filter((name) => !table.has(name)).sort()).toEqual([]);
  });

  it('every one that is documented is logged', () => {
    expect([...table.keys()].filter((name) => !logged.has(name)).sort()).toEqual([]);
  });

  it('the outcomes of an export are all of them', () => {
    const union =
      /readonly outcome: ((?:'[a-z]+'(?: \| )?)+);/.exec(read('src/export/outcome.ts'))?.[1] ?? '';
    const outcomes = [...union.matchAll(/'([a-z]+)'/g)].map(([, name]) => `export.${name}`);
    expect(outcomes.sort()).toEqual([...(DYNAMIC['export.${outcome.outcome}'] ?? [])].sort());
  });
});

describe('findings', () => {
  const table = documented('Findings');
  const raised = new Set(
    sources
      .filter(({ path }) => /^src\/(export|status|service|relay|composition)\//.test(path))
      .flatMap(({ path, text }) => {
        const pattern = path.endsWith('line-findings.ts')
          ? /'([a-z]+(?:-[a-z]+)+)'/g
          : /\bcode: '([a-z][a-z-]+)'/g;
        return [...text.matchAll(pattern)].map(([, code]) => code ?? '');
      }),
  );

  it('every one that is raised is documented, and the reverse', () => {
    expect(raised.size).toBeGreaterThan(20);
    expect([...raised].filter((code) => !table.has(code)).sort()).toEqual([]);
    // Some are raised by a name of their own, a constant.
    const text = sources.map((source) => source.text).join();
    expect([...table.keys()].filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });

  it('has a severity', () => {
    for (const [code, [severity]] of table)
      expect([code, severity]).toEqual([code, expect.stringMatching(/^(warning|critical)$/)]);
  });
});

describe('metrics', () => {
  const table = documented('Metrics');

  it('names, types and labels are those of the code', () => {
    const fromCode = Object.entries(METRICS).map(([name, { type, labels }]) => {
      const shown = labels.length === 0 ? '–' : labels.map((label) => `\`${label}\``).join(', ');
      return [name, type, shown];
    });
    expect([...table].map(([name, [type, labels]]) => [name, type, labels])).toEqual(fromCode);
  });

  it('says what the help says', () => {
    for (const [name, { help }] of Object.entries(METRICS)) expect(`${table.get(name)?.[2]}.`).toBe(help);
  });

  it('alarms are on metrics that there are', () => {
    const named = README.split('Alarms worth having')[1]?.match(/kongfallback_\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !(name in METRICS))).toEqual([]);
  });
});

it('every path of HTTP is documented, and the reverse', () => {
  const inCode = [...read('src/service/http.ts').matchAll(/(?:case |path !== )'(\/[a-z/]+)'/g)].map(
    ([, path]) => path,
  );
  expect([...documented('HTTP').keys()].sort()).toEqual([...inCode].sort());
});
