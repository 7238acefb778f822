// What a plugin author imports as `kongfallback/plugin`.
export type { ErrorKind } from '../errors/kinds.ts';
export type { ByteStream, CallOptions } from './call.ts';
export type { Encryption, KeyWrap, WrappedKey } from './encryption.ts';
export {
  type Clock,
  definePlugin,
  type Logger,
  PLUGIN_KINDS,
  type Plugin,
  type PluginContext,
  type PluginErrorOptions,
  type PluginInstances,
  type PluginKind,
} from './plugin.ts';
export type {
  OpenSessionOptions,
  ReceivedConfiguration,
  Source,
  SourceSession,
} from './source.ts';
export type { SettingsOf, StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts';
export type {
  GetOptions,
  InspectOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  StorageCapabilities,
  StoredObject,
  StoreInspection,
} from './storage.ts';
export type { AppliedDocument, RestoredDocument, Target } from './target.ts';
export type { ConfigDocument, Finding, ValidationContext, Validator } from './validator.ts';
