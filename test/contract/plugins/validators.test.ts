import { pluginContext, validatorContract } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import command from '../../../plugins/validator/command/index.ts';
import expiry from '../../../plugins/validator/expiry/index.ts';
import gateway from '../../../plugins/validator/gateway/index.ts';
import kongSchema from '../../../plugins/validator/kong-schema/index.ts';
import limits from '../../../plugins/validator/limits/index.ts';
import outageReadiness from '../../../plugins/validator/outage-readiness/index.ts';
import shrinkage from '../../../plugins/validator/shrinkage/index.ts';
import { describeTable } from '../../../src/kong/config-table.ts';
import type { Validator } from '../../../src/plugin/index.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import { GatewayDouble } from '../../unit/plugins/validator/gateway-double.ts';
import { recordedConfigurations } from './recorded-configurations.ts';

const double = new GatewayDouble();
beforeAll(() => double.listen());
afterAll(() => double.close());

const RECORDED = recordedConfigurations();
/** A small one and the most varied: these cases are about the validator, not about the documents. */
const GOOD = RECORDED.filter(({ name }) => /mixed.frame-1|3\.8\.1.frame-rich/.test(name));
const outside = () => pluginContext({ clock: systemClock });
const toGateway = () => ({
  url: double.url,
  waitSeconds: 0,
  loadSeconds: 30,
  unavailable: 'refuse' as const,
});

const VALIDATORS: Readonly<Record<string, () => Promise<Validator> | Validator>> = {
  'kong-schema': () => kongSchema.create({}, pluginContext()),
  shrinkage: () => shrinkage.create({ maxShrinkPercent: 50, minimumEntities: 20 }, pluginContext()),
  expiry: () => expiry.create({ warnDays: 30 }, pluginContext()),
  limits: () => limits.create({ maxPayloadBytes: 2 ** 20 }, pluginContext()),
  'outage-readiness': () => outageReadiness.create({}, pluginContext()),
  gateway: () => gateway.create(toGateway(), outside()),
  command: () => command.create({ command: ['cat'], timeoutSeconds: 30, outputCharacters: 300 }, outside()),
};

describe.each(Object.entries(VALIDATORS))('%s', (_name, open) => {
  validatorContract(test, () => ({ good: GOOD, open }));
});

test('there are configurations of every recorded version', () => {
  const versions = new Set(RECORDED.map(({ gatewayVersion }) => gatewayVersion));
  expect([...versions].sort()).toEqual(['3.4.2', '3.5.0', '3.6.1', '3.7.1', '3.8.1', '3.9.3']);
  expect(RECORDED.length).toBeGreaterThanOrEqual(17);
});

describe.each(RECORDED)('$name for $gatewayVersion', ({ bytes, fromControlPlane, gatewayVersion }) => {
  test.each(Object.entries(VALIDATORS))('gives no error from %s', async (name, open) => {
    double.version = gatewayVersion;
    const loaded = double.loads.length;
    const table = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    const context = {
      cluster: 'production',
      gatewayVersion,
      fromControlPlane,
      counts: describeTable(table).counts,
      // When they were recorded: their certificates live for ten years.
      now: Date.UTC(2026, 10, 21),
    };
    const validator = await open();
    const { signal } = new AbortController();
    const findings = await validator.validate({ bytes, table }, context, { signal });
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    // A canary that was not asked would find nothing either.
    if (name === 'gateway') {
      expect(double.loads).toHaveLength(loaded + 1);
      expect(double.loads.at(-1)?.body.equals(bytes)).toBe(true);
    }
  });
});
