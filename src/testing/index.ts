// What a plugin author imports as `kongfallback/testing`: contract kits for any test runner, and fakes.
export { assertKind } from './assert-kind.ts';
export { drain, pattern } from './bytes.ts';
export { type EncryptionHarness, encryptionContract } from './encryption-contract.ts';
export { FakeClock } from './fake-clock.ts';
export { type BodyFaultAt, type CallFault, type Fault, faulty } from './faulty.ts';
export type { TestFunction } from './harness.ts';
export { pluginContext } from './plugin-context.ts';
export type { BodyFault } from './spoiled-body.ts';
export { type StorageHarness, storageContract } from './storage-contract.ts';
export { type GoodDocument, type ValidatorHarness, validatorContract } from './validator-contract.ts';
