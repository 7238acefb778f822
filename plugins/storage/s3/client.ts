import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { PluginContext } from 'kongfallback/plugin';
import type { S3Settings } from './settings.ts';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK, which takes 200 ms to load: only where S3 is used. */
export async function loadSdk(): Promise<Sdk> {
  // Must be set before the first client; the warning about Node 20 would be the operator's first line of output.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return import('@aws-sdk/client-s3');
}

export async function makeClient(sdk: Sdk, settings: S3Settings, context: PluginContext): Promise<S3Client> {
  const client = new sdk.S3Client(clientConfig(settings));
  try {
    await client.config.region();
  } catch (cause) {
    client.destroy();
    throw context.error('invalid', `no region for bucket ${settings.bucket}`, {
      cause,
      hint: 'Set `region`, or AWS_REGION in the environment.',
    });
  }
  return client;
}

function clientConfig(settings: S3Settings): S3ClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = settings;
  const endpoint = settings.endpoint ?? firstSet(ENDPOINT_VARIABLES);
  const region = regionOf(settings, endpoint);
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: settings.forcePathStyle ?? endpoint !== undefined,
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
    // The core retries, and a conditional put gets one attempt only: a repeated one can lose against itself.
    maxAttempts: 1,
    requestChecksumCalculation: settings.checksums === 'when-required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    // The core checks length and digest of everything it reads.
    responseChecksumValidation: 'WHEN_REQUIRED',
    logger: silent,
    requestHandler: {
      connectionTimeout: settings.connectTimeoutSeconds * 1000,
      requestTimeout: settings.requestTimeoutSeconds * 1000,
      throwOnRequestTimeout: true,
      socketTimeout: settings.idleTimeoutSeconds * 1000,
      logger: silent,
    },
  };
}

/** The first is what Kong Enterprise reads for its fallback configuration. */
const ENDPOINT_VARIABLES = ['AWS_CONFIG_STORAGE_ENDPOINT', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'];

/** An empty variable is unset: so do containers whose template leaves one out. */
const firstSet = (names: readonly string[]): string | undefined =>
  names.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');

/** AWS_DEFAULT_REGION is read by every AWS tool but the JavaScript SDK, and Kong's documentation sets it. */
function regionOf(settings: S3Settings, endpoint: string | undefined): string | undefined {
  const named = settings.region ?? firstSet(['AWS_REGION', 'AWS_DEFAULT_REGION']);
  return named ?? (endpoint === undefined ? undefined : 'us-east-1');
}
