import type { S3Client } from '@aws-sdk/client-s3';
import type { PluginContext } from 'kongfallback/plugin';
import { credentialsError } from './credentials-error.ts';
import { nameOf } from './errors.ts';

export interface ConnectionOptions {
  readonly client: S3Client;
  /** For another one in its place. */
  readonly makeClient: () => S3Client;
  /** Frees what the clients have in common. */
  readonly close: () => void;
  /** From the SDK's chain, which can be asked again; those of the settings cannot. */
  readonly fromChain: boolean;
  readonly context: PluginContext;
}

/** Names under which a store refuses credentials that a fresh look may replace. */
const STALE = /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken|InvalidAccessKeyId)$/;

/**
 * The SDK's client, with credentials at hand. A provider that hangs (a credentials agent that accepts and is silent)
 * would be awaited for ever, since the SDK remembers its promise; a file that changed would never be read again. So
 * the client, which costs a millisecond, is thrown away in both cases.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  #client: S3Client | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  /** @throws kind `aborted` soon after the signal fires; `denied` or `unavailable` without credentials */
  async ready(signal: AbortSignal): Promise<S3Client> {
    this.#client ??= this.#options.makeClient();
    const client = this.#client;
    try {
      await untilAborted(client.config.credentials(), signal);
      return client;
    } catch (error) {
      this.#forget(client);
      throw credentialsError(this.#options.context, error, signal);
    }
  }

  /** Looks for credentials anew the next time, if that is what the request failed for. */
  failed(client: S3Client, error: unknown): void {
    if (this.#options.fromChain && STALE.test(nameOf(error))) this.#forget(client);
  }

  close(): void {
    this.#options.close();
  }

  /** Not destroyed: other requests may be under way, and connections are shared. */
  #forget(client: S3Client): void {
    if (this.#client === client) this.#client = undefined;
  }
}

/** Rejects with the signal; what is awaited goes on, and its result is nobody's. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
