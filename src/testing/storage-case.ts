import type { ObjectStore, StorageCapabilities } from '../plugin/index.ts';

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
