import type { StandardIssue, StandardSchema } from 'kongfallback/plugin';

export interface LimitsSettings {
  /** Bytes; `cluster_max_payload` of the data planes. Absent: Kong's default for the gateway version. */
  readonly maxPayloadBytes?: number;
  /** Bytes; `lmdb_map_size` of the data planes. Absent: Kong's default for the gateway version. */
  readonly lmdbMapBytes?: number;
}

const MIB = 2 ** 20;

const FIELDS = {
  maxPayloadBytes: {
    minimum: MIB,
    maximum: 1024 * MIB,
    description:
      'cluster_max_payload of the data planes: the largest compressed configuration that they receive, in bytes. Default: that of the gateway version, 16 MiB from 3.4 on, 4 MiB before.',
  },
  lmdbMapBytes: {
    minimum: MIB,
    maximum: 1024 ** 2 * MIB,
    description:
      'lmdb_map_size of the data planes, in bytes. Default: that of the gateway version, 2048 MiB from 3.4 on, 128 MiB before.',
  },
} as const;

type Name = keyof typeof FIELDS;
const isName = (key: string): key is Name => Object.hasOwn(FIELDS, key);

/** Written out rather than with a schema library: the worker that loads this starts for every document. */
export const settings: StandardSchema<LimitsSettings> = {
  '~standard': {
    version: 1,
    vendor: 'kongfallback',
    validate: (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return { issues: [{ message: 'expected an object' }] };
      }
      const issues = Object.entries(value).flatMap(([key, setting]) => issueOf(key, setting));
      return issues.length > 0 ? { issues } : { value: { ...value } };
    },
    jsonSchema: {
      input: () => ({
        type: 'object',
        properties: {
          maxPayloadBytes: { type: 'integer', ...FIELDS.maxPayloadBytes },
          lmdbMapBytes: { type: 'integer', ...FIELDS.lmdbMapBytes },
        },
        additionalProperties: false,
      }),
    },
  },
};

function issueOf(key: string, value: unknown): StandardIssue[] {
  if (!isName(key)) return [{ message: 'unknown setting', path: [key] }];
  const { minimum, maximum } = FIELDS[key];
  const fits = Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
  return fits
    ? []
    : [{ message: `expected a whole number of bytes from ${minimum} to ${maximum}`, path: [key] }];
}
