import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { PluginContext } from 'kongfallback/plugin';
import { makeAgents } from './agents.ts';
import { readCaFile } from './ca-file.ts';
import { Connection } from './connection.ts';
import { proxyFor } from './proxy.ts';
import type { ServerTimes } from './server-times.ts';
import type { S3Settings } from './settings.ts';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK, which takes 200 ms to load: only where S3 is used. */
export async function loadSdk(): Promise<Sdk> {
  // Must be set before the first client; the warning about Node 20 would be the operator's first line of output.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return import('@aws-sdk/client-s3');
}

/** @throws kind `invalid` when the settings and the environment together name no region, or an unusable CA file */
export async function connect(
  sdk: Sdk,
  settings: S3Settings,
  times: ServerTimes,
  context: PluginContext,
): Promise<Connection> {
  const endpoint = endpointOf(settings);
  const caFile = settings.caFile ?? firstSet(['AWS_CA_BUNDLE']);
  const ca = caFile === undefined ? undefined : await readCaFile(caFile, context);
  const agents = makeAgents({
    proxyFor: proxyFor(settings, process.env, context),
    ...(ca && { ca }),
    connectTimeoutMs: settings.connectTimeoutSeconds * 1000,
    context,
  });
  const makeClient = () =>
    times.heardBy(new sdk.S3Client({ ...clientConfig(settings, endpoint), ...handler(settings, agents) }));
  const close = () => {
    agents.httpAgent.destroy();
    agents.httpsAgent.destroy();
  };
  const client = makeClient();
  await checkRegion(client, settings, context).catch((error: unknown) => {
    close();
    throw error;
  });
  return new Connection({
    client,
    makeClient,
    close,
    fromChain: settings.accessKeyId === undefined,
    context,
  });
}

async function checkRegion(client: S3Client, { bucket }: S3Settings, context: PluginContext): Promise<void> {
  try {
    await client.config.region();
  } catch (cause) {
    throw context.error('invalid', `no region for bucket ${bucket}`, {
      cause,
      hint: 'Set `region`, or AWS_REGION in the environment.',
    });
  }
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function clientConfig(settings: S3Settings, endpoint: string | undefined): S3ClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = settings;
  const region = regionOf(settings, endpoint);
  // For the SDK's credential chain, which is given this whole object: files are read anew with each client.
  const freshFiles: object = { ignoreCache: true };
  return {
    ...freshFiles,
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
    // With an agent of ours the SDK waits for no answer to it, and some proxies refuse the header.
    expectContinueHeader: false,
    logger: SILENT,
  };
}

function handler(
  settings: S3Settings,
  agents: ReturnType<typeof makeAgents>,
): Pick<S3ClientConfig, 'requestHandler'> {
  return {
    requestHandler: {
      ...agents,
      connectionTimeout: settings.connectTimeoutSeconds * 1000,
      requestTimeout: settings.requestTimeoutSeconds * 1000,
      throwOnRequestTimeout: true,
      socketTimeout: settings.idleTimeoutSeconds * 1000,
      logger: SILENT,
    },
  };
}

/** The first is what Kong Enterprise reads for its fallback configuration. */
export const endpointOf = ({ endpoint }: S3Settings): string | undefined =>
  endpoint ?? firstSet(['AWS_CONFIG_STORAGE_ENDPOINT', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']);

/** An empty variable is unset: so do containers whose template leaves one out. */
const firstSet = (names: readonly string[]): string | undefined =>
  names.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');

/** AWS_DEFAULT_REGION is read by every AWS tool but the JavaScript SDK, and Kong's documentation sets it. */
function regionOf(settings: S3Settings, endpoint: string | undefined): string | undefined {
  const named = settings.region ?? firstSet(['AWS_REGION', 'AWS_DEFAULT_REGION']);
  return named ?? (endpoint === undefined ? undefined : 'us-east-1');
}
