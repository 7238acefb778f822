/** Plugins that come with Kong Gateway 3.4, as a data plane of it lists them; none has been removed since. */
const SINCE_3_4 = `acl acme aws-lambda azure-functions basic-auth bot-detection correlation-id cors datadog file-log
  grpc-gateway grpc-web hmac-auth http-log ip-restriction jwt key-auth ldap-auth loggly oauth2 opentelemetry
  post-function pre-function prometheus proxy-cache rate-limiting request-size-limiting request-termination
  request-transformer response-ratelimiting response-transformer session statsd syslog tcp-log udp-log zipkin`;

/** What each later minor version brought, by its number after the 3. */
const ADDED: readonly (readonly [minor: number, names: string])[] = [
  [
    6,
    'ai-prompt-decorator ai-prompt-guard ai-prompt-template ai-proxy ai-request-transformer ai-response-transformer',
  ],
  [8, 'standard-webhooks'],
  [9, 'redirect'],
];

/**
 * The plugins that a data plane of this version has, sorted. Not more than those: for a plugin that it lacks a
 * control plane sends nothing, and what it would send to us that data plane could not load.
 */
export function bundledPlugins(gatewayVersion: string): string[] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(gatewayVersion) ?? [];
  const reached = Number(major) > 3 ? Number.POSITIVE_INFINITY : Number(minor);
  const added = ADDED.filter(([since]) => since <= reached).map(([, names]) => names);
  return [SINCE_3_4, ...added].join(' ').split(/\s+/).sort();
}
