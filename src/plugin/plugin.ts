import type { ErrorKind } from '../errors/kinds.ts';
import type { Encryption, KeyWrap } from './encryption.ts';
import type { Source } from './source.ts';
import type { SettingsOf, StandardSchema } from './standard-schema.ts';
import type { ObjectStore, StorageCapabilities } from './storage.ts';
import type { Target } from './target.ts';
import type { Validator } from './validator.ts';

export interface PluginInstances {
  storage: ObjectStore;
  encryption: Encryption | KeyWrap;
  validator: Validator;
  source: Source;
  target: Target;
}

export type PluginKind = keyof PluginInstances;

export const PLUGIN_KINDS: readonly PluginKind[] = ['storage', 'encryption', 'validator', 'source', 'target'];

/** A plugin is a plain value: the default export of its module. */
export interface Plugin<
  Kind extends PluginKind = PluginKind,
  Schema extends StandardSchema = StandardSchema,
> {
  readonly kind: Kind;
  /** What `use:` names it as. */
  readonly name: string;
  readonly capabilities?: StorageCapabilities;
  /** Checks the plugin's own settings; `use`, `id`, `prefix` and `singleWriter` are taken out beforehand. */
  readonly settings: Schema;
  create(
    settings: SettingsOf<Schema>,
    context: PluginContext,
  ): PluginInstances[Kind] | Promise<PluginInstances[Kind]>;
}

/** What the core gives a plugin instance. */
export interface PluginContext {
  /** The instance's name, unique among its kind; labels logs, metrics and breakers. */
  readonly id: string;
  readonly cluster: string;
  /** Folder of the settings file, which relative paths in settings are relative to. */
  readonly baseDirectory: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** An error that the core understands. `kind` decides what happens next (src/errors/README.md). */
  error(kind: ErrorKind, message: string, options?: PluginErrorOptions): Error;
  /**
   * Imports an optional package, resolved from the settings file's folder, then the working directory, then this
   * installation; a missing one is kind `invalid` and says what to install.
   */
  import<T>(specifier: string): Promise<T>;
}

export interface PluginErrorOptions {
  readonly cause?: unknown;
  readonly hint?: string;
  readonly retryAfterMs?: number;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Milliseconds that only grow; for durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with kind `aborted` when the signal fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Pino's shape: fields first, then the sentence. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The identity: gives a plugin its types. A plugin needs nothing of this package at run time. */
export const definePlugin = <Kind extends PluginKind, Schema extends StandardSchema>(
  plugin: Plugin<Kind, Schema>,
): Plugin<Kind, Schema> => plugin;
