import { setMaxListeners } from 'node:events';
import { type TestFunction, withHarness } from './harness.ts';
import { bodyCases } from './storage-body-cases.ts';
import type { StorageHarness } from './storage-case.ts';
import { conditionCases } from './storage-condition-cases.ts';
import { failureCases } from './storage-failure-cases.ts';
import { listCases } from './storage-list-cases.ts';
import { objectCases } from './storage-object-cases.ts';

export type { StorageHarness } from './storage-case.ts';

/**
 * What a storage plugin must keep, as cases for any test runner:
 *
 * ```js
 * import { test } from 'node:test';
 * import { storageContract } from 'kongfallback/testing';
 * storageContract(test, async () => ({ capabilities: { conditionalPut: true }, open: () => … }));
 * ```
 *
 * @param makeHarness called once per case
 */
export function storageContract(
  test: TestFunction,
  makeHarness: () => Promise<StorageHarness> | StorageHarness,
): void {
  const cases = [...objectCases, ...bodyCases, ...listCases, ...conditionCases, ...failureCases];
  for (const one of cases) {
    test(`storage: ${one.name}`, () =>
      withHarness(makeHarness, async (harness) => {
        if (one.applies?.(harness) === false) return;
        const prefix = harness.prefix ?? 'contract';
        const { signal } = new AbortController();
        setMaxListeners(0, signal);
        const store = await harness.open();
        try {
          await one.run(store, { harness, key: (name) => `${prefix}/${name}`, signal });
        } finally {
          await store.close?.();
        }
      }));
  }
}
