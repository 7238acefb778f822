import type { StandardIssue, StandardSchema } from 'kongfallback/plugin';

export interface ShrinkageSettings {
  /** A collection may lose this share of its entities, in percent. */
  readonly maxShrinkPercent: number;
  /** Collections that held fewer are not looked at: three services of five may well go. */
  readonly minimumEntities: number;
}

/** 49: one that is halved is refused. */
const DEFAULTS: ShrinkageSettings = { maxShrinkPercent: 49, minimumEntities: 20 };
const LIMITS = {
  maxShrinkPercent: { minimum: 0, maximum: 100 },
  minimumEntities: { minimum: 1, maximum: 1_000_000_000 },
} as const;

type Name = keyof ShrinkageSettings;
const isName = (key: string): key is Name => Object.hasOwn(LIMITS, key);

/** Written out rather than with a schema library: the worker that loads this starts for every document. */
export const settings: StandardSchema<ShrinkageSettings> = {
  '~standard': {
    version: 1,
    vendor: 'kongfallback',
    validate: (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return { issues: [{ message: 'expected an object' }] };
      }
      const issues = Object.entries(value).flatMap(([key, setting]) => issueOf(key, setting));
      return issues.length > 0 ? { issues } : { value: { ...DEFAULTS, ...value } };
    },
    jsonSchema: {
      input: () => ({ type: 'object', properties: jsonProperties(), additionalProperties: false }),
    },
  },
};

function issueOf(key: string, value: unknown): StandardIssue[] {
  if (!isName(key)) return [{ message: 'unknown setting', path: [key] }];
  const { minimum, maximum } = LIMITS[key];
  const fits = Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
  return fits ? [] : [{ message: `expected a whole number from ${minimum} to ${maximum}`, path: [key] }];
}

function jsonProperties(): Record<string, object> {
  const names = Object.keys(LIMITS) as Name[];
  return Object.fromEntries(
    names.map((name) => [name, { type: 'integer', default: DEFAULTS[name], ...LIMITS[name] }]),
  );
}
