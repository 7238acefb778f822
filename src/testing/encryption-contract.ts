import type { Encryption, KeyWrap } from '../plugin/index.ts';
import { type EncryptionHarness, encryptionCases } from './encryption-stream-cases.ts';
import { type TestFunction, withHarness } from './harness.ts';
import { keyWrapCases } from './key-wrap-cases.ts';

export type { EncryptionHarness } from './encryption-stream-cases.ts';

export const isKeyWrap = (plugin: Encryption | KeyWrap): plugin is KeyWrap => 'wrap' in plugin;

/**
 * What an encryption plugin must keep, as cases for any test runner. The plugin's own form decides which half
 * applies: a whole format (`seal`, `open`) or a key wrap (`wrap`, `unwrap`).
 *
 * @param makeHarness called once per case
 */
export function encryptionContract(
  test: TestFunction,
  makeHarness: () => Promise<EncryptionHarness> | EncryptionHarness,
): void {
  for (const one of encryptionCases) {
    test(`encryption: ${one.name}`, () =>
      withHarness(makeHarness, async (harness) => {
        const plugin = await harness.open();
        if (!isKeyWrap(plugin)) await one.run(plugin, harness);
      }));
  }
  for (const one of keyWrapCases) {
    test(`key wrap: ${one.name}`, () =>
      withHarness(makeHarness, async (harness) => {
        const plugin = await harness.open();
        if (isKeyWrap(plugin)) await one.run(plugin, harness);
      }));
  }
}
