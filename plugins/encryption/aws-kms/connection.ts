import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { resolve } from 'node:path';
import type { KMSClient, KMSClientConfig } from '@aws-sdk/client-kms';
import type { PluginContext } from 'kongfallback/plugin';
import { isStaleCredentials } from './errors.ts';
import type { AwsKmsSettings } from './settings.ts';

export type Sdk = typeof import('@aws-sdk/client-kms');

/** The SDK's client. One that hung, or whose credentials were refused, is thrown away: the next one looks anew. */
export class Connection {
  readonly sdk: Sdk;
  readonly #make: () => KMSClient;
  #client: KMSClient;

  constructor(sdk: Sdk, make: () => KMSClient) {
    this.sdk = sdk;
    this.#make = make;
    this.#client = make();
  }

  /** One attempt. @throws what the SDK throws; the signal's reason soon after it fires */
  async send<T>(ask: (client: KMSClient) => Promise<T>, signal: AbortSignal): Promise<T> {
    const client = this.#client;
    try {
      // Whoever gives the SDK its credentials may hang, and knows nothing of the signal.
      return await untilAborted(ask(client), signal);
    } catch (error) {
      if (signal.aborted || isStaleCredentials(error)) this.#forget(client);
      throw error;
    }
  }

  region(): Promise<string> {
    return this.#client.config.region();
  }

  #forget(client: KMSClient): void {
    if (this.#client === client) this.#client = this.#make();
  }
}

/** @throws kind `invalid`: a missing package, no region, an unusable CA file */
export async function connect(settings: AwsKmsSettings, context: PluginContext): Promise<Connection> {
  // The SDK's warning about Node 20 would be the operator's first line of output.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const sdk = await context.import<Sdk>('@aws-sdk/client-kms');
  const caFile = settings.caFile ?? firstSet(['AWS_CA_BUNDLE']);
  const ca = caFile === undefined ? undefined : await readCa(caFile, context);
  const config = clientConfig(settings, ca);
  const connection = new Connection(sdk, () => new sdk.KMSClient(config));
  try {
    await connection.region();
  } catch (cause) {
    throw context.error('invalid', `no region for the key ${settings.keyId}`, {
      cause,
      hint: "Set `region`, give the key's ARN, or set AWS_REGION in the environment.",
    });
  }
  return connection;
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function clientConfig(settings: AwsKmsSettings, ca: string | undefined): KMSClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = settings;
  const endpoint = settings.endpoint ?? firstSet(['AWS_ENDPOINT_URL_KMS', 'AWS_ENDPOINT_URL']);
  const region = regionOf(settings, endpoint);
  // For the SDK's credential chain, which is given this whole object: files are read anew with each client.
  const freshFiles: object = { ignoreCache: true };
  return {
    ...freshFiles,
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
    // The core decides about another attempt, and other keys may open meanwhile.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: settings.connectTimeoutSeconds * 1000,
      requestTimeout: settings.requestTimeoutSeconds * 1000,
      throwOnRequestTimeout: true,
      logger: SILENT,
      ...(ca !== undefined && { httpsAgent: new https.Agent({ ca, keepAlive: true }) }),
    },
    logger: SILENT,
  };
}

/** AWS_DEFAULT_REGION is read by every AWS tool but the JavaScript SDK. */
function regionOf({ region, keyId }: AwsKmsSettings, endpoint: string | undefined): string | undefined {
  const ofArn = /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
  const named = region ?? ofArn ?? firstSet(['AWS_REGION', 'AWS_DEFAULT_REGION']);
  return named ?? (endpoint === undefined ? undefined : 'us-east-1');
}

/** An empty variable is unset: so do containers whose template leaves one out. */
const firstSet = (names: readonly string[]): string | undefined =>
  names.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');

async function readCa(path: string, context: PluginContext): Promise<string> {
  const full = resolve(context.baseDirectory, path);
  const hint =
    'Set `caFile` (or AWS_CA_BUNDLE) to a PEM file with the certificates of every CA that is to be trusted.';
  const text = await readFile(full, 'latin1').catch((cause: NodeJS.ErrnoException) => {
    throw context.error('invalid', `CA file ${full}: cannot be read (${cause.code ?? cause.message})`, {
      cause,
      hint,
    });
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw context.error('invalid', `CA file ${full}: holds no certificate`, { hint });
}

/** Rejects with the signal; what is awaited goes on, and its result is nobody's. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((settle, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(settle, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
