import { hostname } from 'node:os';
import type {
  OpenSessionOptions,
  PluginContext,
  ReceivedConfiguration,
  Source,
  SourceSession,
} from 'kongfallback/plugin';
import {
  bundledPlugins,
  type ControlPlaneSession,
  type ControlPlaneSettings,
  nodeIdOf,
  openSession,
} from '#kong';

export interface KongHybridSettings {
  readonly plugins?: readonly string[] | undefined;
  readonly additionalPlugins: readonly string[];
  readonly silenceSeconds: number;
  readonly maxPayloadBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly nodeId?: string | undefined;
  /** Added by the core, checked there: its `controlPlane` block with the files read. */
  readonly controlPlane?: ControlPlaneSettings;
  /** Added by the core: tells exporters of one cluster apart. */
  readonly instance?: string;
}

/** One session per `open`: a control plane rewrites its configuration for the version that asks. */
export class KongHybridSource implements Source {
  readonly #settings: KongHybridSettings;
  readonly #controlPlane: ControlPlaneSettings;
  readonly #context: PluginContext;

  constructor(settings: KongHybridSettings, context: PluginContext) {
    if (settings.controlPlane === undefined) {
      throw context.error('invalid', 'source kong-hybrid: no control plane is set', {
        hint: 'Set controlPlane.address, .certificate and .key in the settings.',
      });
    }
    this.#settings = settings;
    this.#controlPlane = settings.controlPlane;
    this.#context = context;
  }

  async open({ gatewayVersion, plugins: seen = [], signal }: OpenSessionOptions): Promise<SourceSession> {
    const { additionalPlugins, labels, maxPayloadBytes, plugins, silenceSeconds } = this.#settings;
    const instance = this.#settings.instance ?? hostname();
    const session = await openSession({
      controlPlane: this.#controlPlane,
      gatewayVersion,
      nodeId: this.#settings.nodeId ?? nodeIdOf(this.#context.cluster, gatewayVersion, instance),
      nodeHostname: hostname(),
      plugins: [...new Set([...(plugins ?? bundledPlugins(gatewayVersion)), ...additionalPlugins, ...seen])],
      labels,
      silenceMs: silenceSeconds * 1000,
      maxPayloadBytes,
      clock: this.#context.clock,
      signal,
    });
    this.#context.log.debug(
      { gatewayVersion, address: session.address.text },
      'connected to the control plane',
    );
    return { configurations: configurationsOf(session), close: () => session.close() };
  }
}

async function* configurationsOf(session: ControlPlaneSession): AsyncGenerator<ReceivedConfiguration> {
  for await (const frame of session.frames()) yield { form: 'frame', ...frame, fromControlPlane: true };
}
