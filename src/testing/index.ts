// What a plugin author imports as `kongfallback/testing`: contract kits for any test runner, and fakes.
export { assertKind } from './assert-kind.ts';
export { drain, pattern } from './bytes.ts';
export { FakeClock } from './fake-clock.ts';
export type { TestFunction } from './harness.ts';
export { pluginContext } from './plugin-context.ts';
export { type StorageHarness, storageContract } from './storage-contract.ts';
