import { hex, randomAt, uuid } from './random.ts';

// Entities with the fields, defaults and order of fields that a real control plane of 3.9.3 wrote
// (test/fixtures/captures/control-plane/mixed). Names, hosts, paths and keys are made up.

/** Shares of all entities in per cent: about 406 bytes of JSON per entity. */
export const SHARES = {
  services: 8,
  routes: 17,
  consumers: 25,
  keyauth_credentials: 25,
  upstreams: 5,
  targets: 10,
  plugins: 10,
} as const;

export type CollectionName = keyof typeof SHARES;

export const COLLECTION_NAMES = Object.keys(SHARES) as readonly CollectionName[];

export interface Fleet {
  readonly seed: number;
  readonly counts: Readonly<Record<CollectionName, number>>;
}

export function fleetOf(entities: number, seed: number): Fleet {
  const share = (name: CollectionName) => Math.max(1, Math.round((entities * SHARES[name]) / 100));
  const counts = Object.fromEntries(COLLECTION_NAMES.map((name) => [name, share(name)]));
  return { seed, counts: counts as Fleet['counts'] };
}

const SALT = Object.fromEntries(COLLECTION_NAMES.map((name, at) => [name, (at + 1) * 0x1000193]));
const CREATED_AT = 1_795_258_920;
const TEAMS = ['payments', 'identity', 'catalogue', 'checkout', 'search', 'shipping', 'media', 'partners'];
const REGIONS = ['eu-west', 'us-east', 'ap-south'];
const PLUGIN_PROTOCOLS = ['grpc', 'grpcs', 'http', 'https'];

function numbers({ seed }: Fleet, name: CollectionName, index: number): () => number {
  return randomAt(seed ^ (SALT[name] ?? 0), index);
}

/** The id of one entity, known without making it. */
function idOf(fleet: Fleet, name: CollectionName, index: number): string {
  return uuid(numbers(fleet, name, index));
}

const pick = <T>(values: readonly T[], number: number): T => values[number % values.length] as T;

function someId(fleet: Fleet, name: CollectionName, number: number): string {
  return idOf(fleet, name, number % fleet.counts[name]);
}

export function entityOf(fleet: Fleet, name: CollectionName, index: number): object {
  const next = numbers(fleet, name, index);
  const id = uuid(next);
  const at = CREATED_AT + (next() % 10_000_000);
  const team = pick(TEAMS, next());
  const owner = `owner:gitops/${team}-${index % 40}`;
  const stamp = { created_at: at, updated_at: at };
  switch (name) {
    case 'services':
      return {
        protocol: 'http',
        retries: 5,
        write_timeout: 60000,
        port: 8080,
        client_certificate: null,
        tls_verify: null,
        tags: [team, pick(REGIONS, next()), owner],
        tls_verify_depth: null,
        ...stamp,
        path: `/internal/${team}`,
        connect_timeout: 60000,
        read_timeout: 60000,
        id,
        host: `upstream-${next() % fleet.counts.upstreams}.${team}.internal`,
        enabled: true,
        ca_certificates: null,
        name: `${team}-service-${index}`,
      };
    case 'routes':
      return {
        protocols: ['http', 'https'],
        methods: next() % 3 === 0 ? ['GET', 'POST'] : null,
        request_buffering: true,
        response_buffering: true,
        https_redirect_status_code: 426,
        snis: null,
        name: `${team}-route-${index}`,
        ...stamp,
        path_handling: 'v0',
        service: someId(fleet, 'services', next()),
        id,
        preserve_host: false,
        regex_priority: 0,
        headers: null,
        paths: [`/${team}/v${1 + (next() % 4)}/resource-${index}`, `~/${team}/items/(?<id>\\d+)/${index}$`],
        sources: null,
        strip_path: true,
        hosts: [`${team}-${index % 97}.api.example.com`],
        tags: [team, pick(REGIONS, next()), owner],
        destinations: null,
      };
    case 'consumers':
      return {
        updated_at: at,
        custom_id: `customer-${hex(next, 12)}`,
        tags: [team, 'self-service', owner],
        id,
        username: `${team}-application-${index}`,
        created_at: at,
      };
    case 'keyauth_credentials':
      return {
        key: hex(next, 32),
        ttl: null,
        consumer: idOf(fleet, 'consumers', index % fleet.counts.consumers),
        tags: [team, 'self-service', owner],
        id,
        created_at: at,
      };
    case 'upstreams':
      return { ...UPSTREAM, name: `upstream-${index}.${team}.internal`, tags: [team, owner], ...stamp, id };
    case 'targets':
      return {
        updated_at: at + 0.148,
        weight: 100,
        upstream: idOf(fleet, 'upstreams', index % fleet.counts.upstreams),
        target: `10.${next() % 256}.${next() % 256}.${next() % 256}:8080`,
        tags: [team, owner],
        id,
        created_at: at + 0.148,
      };
    case 'plugins': {
      const { name: plugin, config } = pick(PLUGINS, index);
      const byRoute = next() % 3 !== 0;
      return {
        instance_name: null,
        protocols: PLUGIN_PROTOCOLS,
        id,
        service: byRoute ? null : someId(fleet, 'services', next()),
        route: byRoute ? someId(fleet, 'routes', next()) : null,
        updated_at: at,
        enabled: true,
        consumer: null,
        name: plugin,
        tags: [team, owner],
        config,
        created_at: at,
      };
    }
  }
}

const UPSTREAM = {
  hash_on_cookie_path: '/',
  healthchecks: {
    threshold: 0,
    active: {
      type: 'http',
      timeout: 1,
      healthy: { interval: 0, http_statuses: [200, 302], successes: 0 },
      unhealthy: {
        http_statuses: [429, 404, 500, 501, 502, 503, 504, 505],
        tcp_failures: 0,
        timeouts: 0,
        interval: 0,
        http_failures: 0,
      },
      https_sni: null,
      https_verify_certificate: true,
      headers: null,
      http_path: '/health',
      concurrency: 10,
    },
    passive: {
      type: 'http',
      unhealthy: { http_statuses: [429, 500, 503], tcp_failures: 0, timeouts: 0, http_failures: 0 },
      healthy: {
        successes: 0,
        http_statuses: [
          200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
        ],
      },
    },
  },
  hash_fallback: 'none',
  hash_fallback_header: null,
  hash_fallback_query_arg: null,
  hash_fallback_uri_capture: null,
  client_certificate: null,
  host_header: null,
  slots: 10000,
  hash_on: 'none',
  hash_on_header: null,
  hash_on_query_arg: null,
  hash_on_uri_capture: null,
  algorithm: 'round-robin',
  use_srv_name: false,
  hash_on_cookie: null,
};

const PLUGINS = [
  {
    name: 'key-auth',
    config: {
      realm: null,
      key_names: ['apikey'],
      key_in_header: true,
      key_in_query: true,
      key_in_body: false,
      anonymous: null,
      hide_credentials: true,
      run_on_preflight: true,
    },
  },
  {
    name: 'rate-limiting',
    config: {
      hide_client_headers: false,
      redis: {
        timeout: 2000,
        ssl: false,
        host: null,
        database: 0,
        password: null,
        username: null,
        port: 6379,
        ssl_verify: false,
        server_name: null,
      },
      redis_host: null,
      error_code: 429,
      error_message: 'API rate limit exceeded',
      sync_rate: -1,
      redis_password: null,
      redis_username: null,
      redis_ssl: false,
      redis_ssl_verify: false,
      path: null,
      redis_server_name: null,
      limit_by: 'consumer',
      redis_timeout: 2000,
      redis_database: 0,
      redis_port: 6379,
      header_name: null,
      minute: 600,
      hour: null,
      day: null,
      month: null,
      policy: 'local',
      second: null,
      year: null,
      fault_tolerant: true,
    },
  },
  {
    name: 'acl',
    config: {
      always_use_authenticated_groups: false,
      deny: null,
      hide_groups_header: false,
      allow: ['internal', 'partners'],
    },
  },
  {
    name: 'request-transformer',
    config: {
      add: { headers: ['X-Team:platform'], body: [], querystring: [] },
      rename: { headers: [], body: [], querystring: [] },
      replace: { headers: [], body: [], querystring: [], uri: null },
      http_method: null,
      append: { headers: [], body: [], querystring: [] },
      remove: { headers: [], body: [], querystring: [] },
    },
  },
  {
    name: 'correlation-id',
    config: { echo_downstream: true, generator: 'uuid#counter', header_name: 'X-Request-Id' },
  },
];
