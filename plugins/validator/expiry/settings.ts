import type { StandardIssue, StandardSchema } from 'kongfallback/plugin';

export interface ExpirySettings {
  /** A certificate that expires within so many days is reported. */
  readonly warnDays: number;
}

const DEFAULTS: ExpirySettings = { warnDays: 30 };
const RANGE = { minimum: 0, maximum: 3650 } as const;

/** Written out rather than with a schema library: the worker that loads this starts for every document. */
export const settings: StandardSchema<ExpirySettings> = {
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
      input: () => ({
        type: 'object',
        properties: {
          warnDays: {
            type: 'number',
            default: DEFAULTS.warnDays,
            description: 'Certificates that expire within so many days are reported. Default: 30.',
            ...RANGE,
          },
        },
        additionalProperties: false,
      }),
    },
  },
};

function issueOf(key: string, value: unknown): StandardIssue[] {
  if (key !== 'warnDays') return [{ message: 'unknown setting', path: [key] }];
  const fits = typeof value === 'number' && value >= RANGE.minimum && value <= RANGE.maximum;
  return fits
    ? []
    : [{ message: `expected a number of days from ${RANGE.minimum} to ${RANGE.maximum}`, path: [key] }];
}
