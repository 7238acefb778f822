import type { Finding, ValidationContext } from 'kongfallback/plugin';
import kongSchema from '../../../../../plugins/validator/kong-schema/index.ts';
import { pluginContext } from '../../../../../src/testing/plugin-context.ts';

export type Table = Record<string, unknown>;

/** Findings for a table that went through JSON, as every document does. */
export async function check(
  table: unknown,
  context: Partial<ValidationContext> = {},
): Promise<readonly Finding[]> {
  const text = typeof table === 'string' ? table : JSON.stringify(table);
  const validator = await kongSchema.create({}, pluginContext());
  return validator.validate(
    { bytes: new TextEncoder().encode(text), table: JSON.parse(text) },
    { cluster: 'c', gatewayVersion: '3.9.3', fromControlPlane: true, counts: {}, now: 0, ...context },
    { signal: new AbortController().signal },
  );
}

export const fromFile = { fromControlPlane: false } as const;

export const errorsOf = (findings: readonly Finding[]): string[] =>
  findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);

export const codesOf = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code);

/** A UUID by number. */
export const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** A small document as a control plane writes it, with what a test wants different. */
export const document = (replaced: Table = {}): Table => ({
  _format_version: '3.0',
  _transform: false,
  workspaces: [{ id: id(1), name: 'default' }],
  parameters: [{ key: 'cluster_id', value: 'x', created_at: null }],
  services: [{ id: id(10), name: 'orders', host: 'orders.internal', client_certificate: null }],
  routes: [{ id: id(20), name: 'orders', service: id(10), paths: ['/orders'] }],
  ...replaced,
});
