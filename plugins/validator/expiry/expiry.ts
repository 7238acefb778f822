import type {
  CallOptions,
  ConfigDocument,
  Finding,
  PluginContext,
  ValidationContext,
  Validator,
} from 'kongfallback/plugin';
import { notAfterOf } from './not-after.ts';
import { caPlaces, leafPlaces, type Place } from './places.ts';

const DAY_MS = 86_400_000;
/** A certificate takes about 0.1 ms to read: this bounds the whole to half a second. */
const MOST_CERTIFICATES = 5000;
const MOST_FINDINGS = 50;

const RENEW = 'Renew it at the control plane.';
const RENEW_CA =
  'Renew or delete it at the control plane: with one expired CA certificate a data plane rejects the whole configuration.';

/** Reports certificates that expire soon, and refuses what no data plane loads any more: an expired CA certificate. */
export class Expiry implements Validator {
  readonly #warnMs: number;
  readonly #plugin: PluginContext;
  /** One certificate often stands in many plugins. */
  readonly #known = new Map<string, number | undefined>();

  constructor(warnDays: number, plugin: PluginContext) {
    this.#warnMs = warnDays * DAY_MS;
    this.#plugin = plugin;
  }

  async validate(
    document: ConfigDocument,
    { now }: ValidationContext,
    { signal }: CallOptions,
  ): Promise<readonly Finding[]> {
    const found: Finding[] = [];
    let skipped = 0;
    for (const places of [caPlaces(document.table), leafPlaces(document)]) {
      for (const place of places) {
        if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before every certificate was read');
        if (!this.#isWithinBounds(place)) skipped++;
        else found.push(...this.#judge(place, now));
      }
    }
    return bounded(skipped === 0 ? found : [...found, notLookedAt(skipped)]);
  }

  async loadableUntil({ table }: ConfigDocument, { signal }: CallOptions): Promise<number | undefined> {
    let earliest: number | undefined;
    for (const place of caPlaces(table)) {
      if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before every CA certificate was read');
      if (!this.#isWithinBounds(place)) break;
      const notAfter = this.#notAfter(place);
      if (notAfter !== undefined && (earliest === undefined || notAfter < earliest)) earliest = notAfter;
    }
    return earliest;
  }

  #isWithinBounds({ pem }: Place): boolean {
    return this.#known.size < MOST_CERTIFICATES || this.#known.has(pem);
  }

  #notAfter({ pem }: Place): number | undefined {
    if (!this.#known.has(pem)) this.#known.set(pem, notAfterOf(pem));
    return this.#known.get(pem);
  }

  #judge(place: Place, now: number): Finding[] {
    const notAfter = this.#notAfter(place);
    const { isCa, path, shown } = place;
    if (notAfter === undefined) {
      return [
        {
          code: 'expiry/unreadable',
          severity: 'warning',
          message: `${shown}: ${path.slice(2).join('.')} is no certificate that can be read, so when it expires is not known`,
          hint: 'A data plane may refuse it too: look at it at the control plane.',
          path,
        },
      ];
    }
    const what = isCa ? 'ca-certificate' : 'certificate';
    const hint = isCa ? RENEW_CA : RENEW;
    const at = new Date(notAfter).toISOString();
    if (notAfter < now) {
      const severity = isCa ? 'error' : 'warning';
      return [{ code: `expiry/${what}-expired`, severity, message: `${shown} expired at ${at}`, hint, path }];
    }
    if (notAfter - now > this.#warnMs) return [];
    const days = Math.floor((notAfter - now) / DAY_MS);
    const message = `${shown} expires at ${at}, in ${days} ${days === 1 ? 'day' : 'days'}`;
    return [{ code: `expiry/${what}`, severity: 'warning', message, hint, path }];
  }
}

function notLookedAt(skipped: number): Finding {
  return {
    code: 'expiry/not-looked-at',
    severity: 'warning',
    message: `${skipped} places with certificates were not looked at, after ${MOST_CERTIFICATES} different certificates`,
  };
}

/** Errors first, so that no flood of warnings hides a refusal. */
function bounded(found: readonly Finding[]): readonly Finding[] {
  const errors = found.filter(({ severity }) => severity === 'error');
  const all = [...errors, ...found.filter(({ severity }) => severity === 'warning')];
  if (all.length <= MOST_FINDINGS) return all;
  const severity = errors.length > MOST_FINDINGS ? 'error' : 'warning';
  const more = all.length - MOST_FINDINGS;
  return [
    ...all.slice(0, MOST_FINDINGS),
    { code: 'expiry/more', severity, message: `and ${more} more findings` },
  ];
}
