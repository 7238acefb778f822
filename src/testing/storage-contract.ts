import { setMaxListeners } from 'node:events';
import type { ObjectStore, StorageCapabilities } from '../plugin/index.ts';
import { type TestFunction, withHarness } from './harness.ts';
import { bodyCases } from './storage-body-cases.ts';
import { conditionCases } from './storage-condition-cases.ts';
import { failureCases } from './storage-failure-cases.ts';
import { listCases } from './storage-list-cases.ts';
import { objectCases } from './storage-object-cases.ts';

export interface StorageHarness {
  /** What the plugin declares; nothing else decides which cases are skipped. */
  readonly capabilities: StorageCapabilities;
  /** Under which the kit writes; a fresh place per harness. Default: 'contract'. */
  readonly prefix?: string;
  /** More objects than one page of the store's listing. Default: 30. */
  readonly moreThanOnePage?: number;
  /** Another instance on the same place each time; may be the same where a place cannot be shared. */
  open(): Promise<ObjectStore> | ObjectStore;
  /** An instance whose credentials are wrong. */
  openDenied?(): Promise<ObjectStore> | ObjectStore;
  /** An instance whose endpoint nobody answers. */
  openDead?(): Promise<ObjectStore> | ObjectStore;
  cleanup?(): Promise<void> | void;
}

/** One case of the kit: what it shows, and when it does not apply. */
export interface StorageCase {
  readonly name: string;
  readonly applies?: (harness: StorageHarness) => boolean;
  run(store: ObjectStore, place: StoragePlace): Promise<void>;
}

export interface StoragePlace {
  readonly harness: StorageHarness;
  /** A key of this case. */
  key(name: string): string;
  /** Never fires. */
  readonly signal: AbortSignal;
}

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
