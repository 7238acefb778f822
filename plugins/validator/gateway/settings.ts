import type { StandardIssue, StandardSchema } from 'kongfallback/plugin';

export interface GatewaySettings {
  readonly url: string;
  readonly token?: string;
  /** Path of a PEM file. */
  readonly ca?: string;
  readonly waitSeconds: number;
  readonly loadSeconds: number;
  /** What no verdict means. */
  readonly unavailable: 'warn' | 'refuse';
}

type Fits = (value: unknown) => boolean;

const isText: Fits = (value) => typeof value === 'string' && value !== '';
const isNumber =
  (above: number, most: number): Fits =>
  (value) =>
    typeof value === 'number' && value >= above && value <= most;

const FIELDS: Readonly<
  Record<keyof GatewaySettings, { readonly fits: Fits; readonly expected: string; readonly schema: object }>
> = {
  url: {
    fits: isAdminUrl,
    expected: 'expected http://host:port or https://host:port, without credentials: these are in token',
    schema: {
      type: 'string',
      pattern: '^https?://',
      description:
        'Admin API (admin_listen) of a gateway without a database that serves nobody, of the version in gatewayVersions and with the plugins of the data planes. It holds every configuration in the clear.',
    },
  },
  token: {
    fits: (value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value),
    expected: 'expected one word',
    schema: {
      type: 'string',
      secret: true,
      description: 'Sent as Kong-Admin-Token, where RBAC asks for one. Default: none.',
    },
  },
  ca: {
    fits: isText,
    expected: 'expected the path of a PEM file',
    schema: {
      type: 'string',
      minLength: 1,
      description:
        'For https: PEM file with the certificate of the Admin API or of its CA, relative to the settings file. Default: the well-known CAs.',
    },
  },
  waitSeconds: {
    fits: isNumber(0, 120),
    expected: 'expected a number of seconds from 0 to 120',
    schema: {
      type: 'number',
      minimum: 0,
      maximum: 120,
      default: 10,
      description:
        'How long to wait for the gateway to answer, or to finish another load. Seconds. Default: 10.',
    },
  },
  loadSeconds: {
    fits: isNumber(1, 240),
    expected: 'expected a number of seconds from 1 to 240',
    schema: {
      type: 'number',
      minimum: 1,
      // Preparing a document ends after 300 s, whoever is to blame.
      maximum: 240,
      default: 120,
      description:
        'How long loading may take. Seconds. Default: 120: a gateway takes 45 s for 100,000 entities on two cores.',
    },
  },
  unavailable: {
    fits: (value) => value === 'warn' || value === 'refuse',
    expected: 'expected warn or refuse',
    schema: {
      type: 'string',
      enum: ['warn', 'refuse'],
      default: 'warn',
      description:
        'What is done with a configuration when the gateway gives no verdict: published with a warning, or refused. Default: warn.',
    },
  },
};

const DEFAULTS = { waitSeconds: 10, loadSeconds: 120, unavailable: 'warn' };
type Name = keyof GatewaySettings;
const isName = (key: string): key is Name => Object.hasOwn(FIELDS, key);

/** Written out rather than with a schema library: the worker that loads this starts for every document. */
export const settings: StandardSchema<GatewaySettings> = {
  '~standard': {
    version: 1,
    vendor: 'kongfallback',
    validate: (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return { issues: [{ message: 'expected an object' }] };
      }
      const given = { url: undefined, ...DEFAULTS, ...value } as Record<string, unknown>;
      const issues = Object.entries(given).flatMap(([key, setting]) => issueOf(key, setting));
      return issues.length > 0 ? { issues } : { value: given as unknown as GatewaySettings };
    },
    jsonSchema: {
      input: () => ({
        type: 'object',
        properties: Object.fromEntries(Object.entries(FIELDS).map(([name, { schema }]) => [name, schema])),
        required: ['url'],
        additionalProperties: false,
      }),
    },
  },
};

function issueOf(key: string, value: unknown): StandardIssue[] {
  if (!isName(key)) return [{ message: 'unknown setting', path: [key] }];
  const { fits, expected } = FIELDS[key];
  return fits(value) ? [] : [{ message: expected, path: [key] }];
}

function isAdminUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}
