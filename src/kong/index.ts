// What the core and the source plugins (as `#kong`) use of Kong.
export { type Address, parseAddress } from './address.ts';
export { type BasicInfo, encodeBasicInfo } from './basic-info.ts';
export { bundledPlugins } from './bundled-plugins.ts';
export { ClusterCertificate } from './cluster-certificate.ts';
export { describeTable, type TableDescription } from './config-table.ts';
export { type ControlPlaneErrorCode, controlPlaneError } from './control-plane-error.ts';
export type { ControlPlaneSettings } from './control-plane-settings.ts';
export { type Frame, type FrameLimits, type FramePeek, peekFrame, readFrame } from './frame.ts';
export { type ConfigHashes, configHashes, EMPTY_HASH } from './hash.ts';
export { nodeIdOf } from './node-id.ts';
export {
  DEFAULT_CONNECT_MS,
  DEFAULT_MAX_PAYLOAD_BYTES,
  DEFAULT_SILENCE_MS,
  type OpenControlPlaneOptions,
  openSession,
} from './open-session.ts';
export {
  type ControlPlaneHealth,
  DEFAULT_PROBE_CONNECT_MS,
  DEFAULT_PROBE_MS,
  type ProbeOptions,
  probeControlPlane,
} from './probe.ts';
export { ControlPlaneSession, type ReceivedFrame, type SessionOptions } from './session.ts';
export { STAND_IN_HEADER } from './upgrade.ts';
