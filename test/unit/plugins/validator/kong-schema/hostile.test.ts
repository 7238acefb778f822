import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLLECTIONS } from '../../../../../plugins/validator/kong-schema/collections.ts';
import { check, document, errorsOf, fromFile, id } from './check.ts';

describe('documents that mean harm', () => {
  it('never throws, whatever the table holds', async () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const name = fc.oneof(
      fc.constantFrom(...COLLECTIONS.keys(), '_format_version', '_transform', '__proto__', 'constructor'),
      fc.string(),
    );
    const table = fc.array(fc.tuple(name, fc.oneof(value, fc.array(value)))).map(
      // As text, so that `__proto__` becomes a member of its own, as JSON.parse makes it.
      (members) => `{${members.map(([key, v]) => `${JSON.stringify(key)}:${JSON.stringify(v)}`).join(',')}}`,
    );
    await fc.assert(
      fc.asyncProperty(table, fc.boolean(), async (text, fromControlPlane) => {
        const findings = await check(text, { fromControlPlane });
        expect(findings.length).toBeLessThanOrEqual(51);
        for (const { message } of findings) expect(message.length).toBeLessThan(400);
      }),
      { numRuns: 500 },
    );
  });

  it('takes names of the object prototype for what they are', async () => {
    const text = `{"_format_version":"3.0","_transform":false,
      "workspaces":[{"id":"${id(1)}","name":"default","__proto__":{"id":"x"}}],
      "__proto__":[{"id":"${id(2)}"}],"constructor":[],"toString":{},"hasOwnProperty":[{"id":1}],
      "services":[{"id":"${id(3)}","name":"__proto__"},{"id":"${id(4)}","name":"constructor"}],
      "routes":[{"id":"${id(5)}","name":"toString","service":"__proto__"},
                {"id":"${id(6)}","name":"r","service":"toString"}]}`;
    const findings = await check(text, fromFile);
    expect(findings).toMatchObject([
      { code: 'kong-schema/unknown-member', path: ['__proto__'] },
      { code: 'kong-schema/dangling-reference', path: ['routes', id(6), 'service'] },
    ]);
    expect(Object.hasOwn(Object.prototype, 'id')).toBe(false);
  });

  it('shows 50 findings of a flood and counts the rest, errors first', async () => {
    const broken = Array.from({ length: 500 }, (_, n) => ({
      id: `bad-${n}`,
      name: `r${n}`,
      service: id(999),
    }));
    const findings = await check(document({ routes: broken, consumers: 'text' }));
    expect(findings).toHaveLength(51);
    expect(errorsOf(findings)).toHaveLength(51);
    expect(findings.at(-1)).toEqual({
      code: 'kong-schema/more',
      severity: 'error',
      message: 'and 951 more findings',
    });
  });

  it('ends a flood of mere warnings with a warning', async () => {
    const odd = Array.from({ length: 500 }, (_, n) => ({ id: `bad-${n}`, username: `u${n}` }));
    const findings = await check(document({ consumers: odd }));
    expect(findings.at(-1)).toMatchObject({ code: 'kong-schema/more', severity: 'warning' });
    expect(errorsOf(findings)).toEqual([]);
  });

  it('reports a refusal although 500 warnings came before it', async () => {
    const odd = Array.from({ length: 500 }, (_, n) => ({ id: `bad-${n}`, username: `u${n}` }));
    const findings = await check(document({ consumers: odd, acls: [{ id: id(7), consumer: id(8) }] }));
    expect(findings[0]).toMatchObject({ code: 'kong-schema/dangling-reference', severity: 'error' });
  });

  it('never shows a value, wherever a secret slipped to', async () => {
    const secret = 'hunter2-hunter2';
    const wrong = {
      id: secret,
      name: secret,
      username: secret,
      key: secret,
      service: secret,
      consumer: secret,
    };
    const table = document({
      _format_version: secret,
      _transform: secret,
      services: [wrong, wrong],
      routes: [wrong, secret],
      consumers: secret,
      keyauth_credentials: [wrong, wrong],
      plugins: [wrong, wrong],
    });
    for (const fromControlPlane of [true, false]) {
      const findings = await check(table, { fromControlPlane });
      expect(findings.length).toBeGreaterThan(8);
      expect(JSON.stringify(findings)).not.toContain(secret);
    }
  });

  it('follows nesting as deep as Kong nests, and no deeper', async () => {
    let text = '{"id":"x"}';
    for (let depth = 0; depth < 500; depth++) text = `{"routes":[{"plugins":[${text}]}]}`;
    const findings = await check(`{"_format_version":"3.0","services":[${text}]}`, fromFile);
    expect(findings.length).toBeLessThan(51);
  });
});
