import type { StandardIssue, StandardSchema } from 'kongfallback/plugin';

export interface CommandSettings {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** Characters of the program's output in the finding. */
  readonly outputCharacters: number;
}

const DEFAULTS = { timeoutSeconds: 60, outputCharacters: 300 };
const MOST_WORDS = 100;
const LONGEST_WORD = 4096;

const PROPERTIES = {
  command: {
    type: 'array',
    minItems: 1,
    maxItems: MOST_WORDS,
    items: { type: 'string', minLength: 1, maxLength: LONGEST_WORD },
    description:
      'Program and arguments; no shell is between. {file} in an argument stands for a file with the document, which is removed afterwards; without one the document comes on standard input. Exit code 0 accepts it, any other refuses it.',
  },
  timeoutSeconds: {
    type: 'number',
    exclusiveMinimum: 0,
    // Preparing a document ends after 300 s, whoever is to blame.
    maximum: 240,
    default: DEFAULTS.timeoutSeconds,
    description:
      'After so long the program and all that it started are killed, and nothing is published. Seconds. Default: 60.',
  },
  outputCharacters: {
    type: 'integer',
    minimum: 0,
    maximum: 900,
    default: DEFAULTS.outputCharacters,
    description:
      'How much of what the program says is shown when it refuses, in characters. It may repeat values of the configuration, secrets included: 0 shows nothing. Default: 300.',
  },
} as const;

/** Written out rather than with a schema library: the worker that loads this starts for every document. */
export const settings: StandardSchema<CommandSettings> = {
  '~standard': {
    version: 1,
    vendor: 'kongfallback',
    validate: (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return { issues: [{ message: 'expected an object' }] };
      }
      const given = { ...DEFAULTS, ...value } as Record<string, unknown>;
      const issues = Object.entries({ command: undefined, ...given }).flatMap(([key, one]) =>
        issueOf(key, one),
      );
      return issues.length > 0 ? { issues } : { value: given as unknown as CommandSettings };
    },
    jsonSchema: {
      input: () => ({
        type: 'object',
        properties: PROPERTIES,
        required: ['command'],
        additionalProperties: false,
      }),
    },
  },
};

function issueOf(key: string, value: unknown): StandardIssue[] {
  const wrong = (message: string): StandardIssue[] => [{ message, path: [key] }];
  switch (key) {
    case 'command':
      return isCommand(value) ? [] : wrong('expected a program and its arguments, as a list of texts');
    case 'timeoutSeconds': {
      const { maximum } = PROPERTIES.timeoutSeconds;
      return typeof value === 'number' && value > 0 && value <= maximum
        ? []
        : wrong(`expected a number of seconds above 0, at most ${maximum}`);
    }
    case 'outputCharacters': {
      const { minimum, maximum } = PROPERTIES.outputCharacters;
      return Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum
        ? []
        : wrong(`expected a whole number from ${minimum} to ${maximum}`);
    }
    default:
      return wrong('unknown setting');
  }
}

const isCommand = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length >= 1 &&
  value.length <= MOST_WORDS &&
  value.every((word) => typeof word === 'string' && word !== '' && word.length <= LONGEST_WORD);
