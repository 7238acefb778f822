import { strict as assert } from 'node:assert';
import { kindOf } from '../errors/index.ts';
import type { Finding, ValidationContext, Validator } from '../plugin/index.ts';
import { floodTable } from './flood-table.ts';
import { type TestFunction, withHarness } from './harness.ts';
import { ODD_TABLES } from './odd-tables.ts';

export interface GoodDocument {
  readonly name: string;
  /** UTF-8 JSON as a control plane sends it. */
  readonly bytes: Uint8Array;
}

export interface ValidatorHarness {
  open(): Promise<Validator> | Validator;
  /** Documents that must be accepted: no finding of severity `error`. */
  readonly good?: readonly GoodDocument[];
  cleanup?(): Promise<void> | void;
}

interface ValidatorCase {
  readonly name: string;
  run(validator: Validator, harness: ValidatorHarness): Promise<void>;
}

/** `kong-schema/dangling-reference`: the plugin's name and the case. */
const CODE = /^[a-z0-9-]+(\/[a-z0-9-]+)+$/;
/** What the record of a configuration holds; the core cuts off the rest, and then nobody is told that there was more. */
const MOST_FINDINGS = 200;
const LONGEST_TEXT = 1000;
const call = () => ({ signal: new AbortController().signal });

/**
 * What a validator must keep, as cases for any test runner.
 *
 * @param makeHarness called once per case
 */
export function validatorContract(
  test: TestFunction,
  makeHarness: () => Promise<ValidatorHarness> | ValidatorHarness,
): void {
  for (const one of cases) {
    test(`validator: ${one.name}`, () =>
      withHarness(makeHarness, async (harness) => one.run(await harness.open(), harness)));
  }
}

const cases: readonly ValidatorCase[] = [
  {
    name: 'good documents are accepted, from a control plane and from a file',
    async run(validator, { good = [] }) {
      for (const { bytes, name } of good) {
        for (const fromControlPlane of [true, false]) {
          const findings = await judge(validator, bytes, { fromControlPlane });
          const errors = findings.filter((finding) => finding.severity === 'error');
          assert.deepEqual(errors, [], `${name}, fromControlPlane: ${fromControlPlane}`);
        }
      }
    },
  },
  {
    name: 'odd documents are judged, never thrown at',
    async run(validator) {
      for (const { json, name } of ODD_TABLES) {
        for (const fromControlPlane of [true, false]) {
          const findings = await judge(validator, new TextEncoder().encode(json), { fromControlPlane });
          for (const finding of findings) assertWellFormed(finding, name);
        }
      }
      assert.equal(({} as { polluted?: unknown }).polluted, undefined, 'no prototype was changed');
    },
  },
  {
    name: 'odd contexts are taken: nothing before, no counts, prototype keys in the counts',
    async run(validator) {
      const bytes = new TextEncoder().encode('{"_format_version":"3.0","services":[]}');
      const odd = JSON.parse('{"__proto__":3,"constructor":1,"services":100000}') as Record<string, number>;
      for (const counts of [{}, odd]) {
        for (const previous of [
          undefined,
          { counts: {}, configHash: null },
          { counts: odd, configHash: 'x' },
        ]) {
          const findings = await judge(validator, bytes, { counts, ...(previous && { previous }) });
          for (const finding of findings) assertWellFormed(finding, 'odd context');
        }
      }
    },
  },
  {
    name: 'the document is not changed, and the same one is judged the same',
    async run(validator, { good = [] }) {
      const documents = [...good.map(({ bytes }) => bytes), ...ODD_TABLES.map(({ json }) => utf8(json))];
      for (const former of documents) {
        const bytes = new Uint8Array(former);
        const table = frozen(parse(bytes));
        const before = JSON.stringify(table);
        const first = await validator.validate({ bytes, table }, context({}, table), call());
        const second = await validator.validate({ bytes, table }, context({}, table), call());
        assert.equal(Buffer.compare(former, bytes), 0, 'the bytes are as they were');
        assert.equal(JSON.stringify(table), before, 'the table is as it was');
        assert.deepEqual(first, second);
      }
    },
  },
  {
    name: 'a flood of faults gives a list that can be kept and read',
    async run(validator) {
      const findings = await judge(validator, utf8(floodTable()), {});
      assert.ok(findings.length <= MOST_FINDINGS, `${findings.length} findings, at most ${MOST_FINDINGS}`);
      for (const finding of findings) {
        assertWellFormed(finding, 'flood');
        for (const text of [finding.message, finding.hint ?? '', ...(finding.path ?? [])]) {
          assert.ok(text.length <= LONGEST_TEXT, `${finding.code}: ${text.length} characters`);
        }
      }
    },
  },
  {
    name: 'how long a document can be loaded is a time or undefined, and always the same',
    async run(validator, { good = [] }) {
      const documents = [...good.map(({ bytes }) => bytes), ...ODD_TABLES.map(({ json }) => utf8(json))];
      for (const bytes of [...documents, utf8(floodTable())]) {
        const document = { bytes, table: frozen(parse(bytes)) };
        const until = await validator.loadableUntil?.(document, call());
        assert.ok(until === undefined || Number.isFinite(until), `${until} is milliseconds since 1970`);
        assert.equal(await validator.loadableUntil?.(document, call()), until);
      }
    },
  },
  {
    name: 'a signal that fires on the way: aborted, or judged all the same, but never another error',
    async run(validator) {
      const table = frozen(parse(utf8(floodTable())));
      const document = { bytes: utf8(floodTable()), table };
      const stop = new AbortController();
      const judging = validator.validate(document, context({}, table), { signal: stop.signal });
      stop.abort();
      await abortedOrJudged(judging);
    },
  },
  {
    name: 'a signal that fired before: aborted, or judged all the same, but never another error',
    async run(validator) {
      const table = frozen({ _format_version: '3.0', services: [] });
      const document = { bytes: utf8(JSON.stringify(table)), table };
      const signal = AbortSignal.abort();
      await abortedOrJudged(validator.validate(document, context({}, table), { signal }));
    },
  },
];

async function abortedOrJudged(judging: Promise<readonly Finding[]>): Promise<void> {
  try {
    for (const finding of await judging) assertWellFormed(finding, 'after an abort');
  } catch (error) {
    assert.equal(kindOf(error), 'aborted', String(error));
  }
}

async function judge(
  validator: Validator,
  given: Uint8Array,
  part: Partial<ValidationContext>,
): Promise<readonly Finding[]> {
  const bytes = new Uint8Array(given);
  const table = frozen(parse(bytes));
  const findings = await validator.validate({ bytes, table }, context(part, table), call());
  assert.ok(Array.isArray(findings), 'findings are a list');
  return findings;
}

function context(part: Partial<ValidationContext>, table: Record<string, unknown>): ValidationContext {
  const counts: Record<string, number> = {};
  for (const [name, entities] of Object.entries(table)) {
    if (Array.isArray(entities)) counts[name] = entities.length;
  }
  return {
    cluster: 'test',
    gatewayVersion: '3.9.1',
    fromControlPlane: true,
    counts,
    now: Date.UTC(2026, 0, 1),
    ...part,
  };
}

function assertWellFormed(finding: Finding, name: string): void {
  assert.match(finding.code, CODE, `${name}: a code like kong-schema/dangling-reference`);
  assert.ok(finding.severity === 'error' || finding.severity === 'warning', `${name}: severity`);
  assert.ok(typeof finding.message === 'string' && finding.message !== '', `${name}: a message`);
  assert.ok(
    finding.hint === undefined || finding.hint !== '',
    `${name}: a hint, where there is one, says something`,
  );
  assert.ok(finding.path?.every((part) => typeof part === 'string') ?? true, `${name}: path of strings`);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

/** As the core hands it over: the top two levels. */
function frozen(table: Record<string, unknown>): Readonly<Record<string, unknown>> {
  for (const value of Object.values(table)) Object.freeze(value);
  return Object.freeze(table);
}
