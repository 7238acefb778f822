import type { Finding } from 'kongfallback/plugin';

/** Of each code; six codes with their rests stay below the 200 findings that a record holds. */
const MOST_OF_A_CODE = 30;

export type Warning = Omit<Finding, 'severity'>;

/** Warnings of one document, bounded for each code: a thousand alike must not hide the one of another kind. */
export class Warnings {
  readonly #byCode = new Map<string, { readonly shown: Finding[]; all: number }>();

  add(warning: Warning): void {
    const known = this.#byCode.get(warning.code) ?? { shown: [], all: 0 };
    this.#byCode.set(warning.code, known);
    if (known.all++ < MOST_OF_A_CODE) known.shown.push({ ...warning, severity: 'warning' });
  }

  all(): readonly Finding[] {
    return [...this.#byCode].flatMap(([code, { shown, all }]) => {
      const more = all - shown.length;
      if (more === 0) return shown;
      return [...shown, { code, severity: 'warning' as const, message: `and ${more} more like these` }];
    });
  }
}
