/** Settings of one storage entry, by name. */
export type StorageFields = Readonly<Record<string, string | boolean>>;

/** Kong's schemes for which there is no built-in storage plugin. */
const NO_PLUGIN: Readonly<Record<string, string>> = {
  gcs: 'gcs (Google Cloud Storage)',
  gs: 'gcs (Google Cloud Storage)',
  azure: 'azure-blob (Azure Blob Storage)',
};

const EXPECTED = 'expected s3://bucket/prefix, or https://endpoint/bucket/prefix for an S3-compatible store';

/** Hosts of AWS that carry the bucket in their name, which a path would repeat. */
const AWS_VIRTUAL_HOST = /^.+\.s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?$/;

/**
 * The storage that `cluster_fallback_config_storage` names.
 *
 * @throws a plain Error that says what is wrong, without the value: an address may hold credentials
 */
export function storageOf(address: string): StorageFields {
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]{0,31}):\/\//i.exec(address) ?? [];
  const plugin = NO_PLUGIN[scheme.toLowerCase()];
  if (plugin !== undefined) {
    throw new Error(
      `${scheme.toLowerCase()}:// needs the storage plugin ${plugin}, which does not exist yet; ${EXPECTED}`,
    );
  }
  switch (scheme.toLowerCase()) {
    case 's3': {
      const [, bucket, prefix = ''] = /^s3:\/\/([^/?#@\s]{1,255})(?:\/([^?#\s]*))?$/i.exec(address) ?? [];
      if (bucket === undefined) throw new Error(EXPECTED);
      return { use: 's3', bucket, ...prefixOf(prefix) };
    }
    case 'http':
    case 'https':
      return compatible(address);
    default:
      throw new Error(scheme === '' ? `has no scheme; ${EXPECTED}` : `${scheme}:// is unknown; ${EXPECTED}`);
  }
}

function compatible(address: string): StorageFields {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) throw new Error(`is no URL; ${EXPECTED}`);
  if (url.username !== '' || url.password !== '') {
    throw new Error('holds credentials; give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
  if (url.search !== '' || url.hash !== '') throw new Error(`has a part behind ? or #; ${EXPECTED}`);
  if (AWS_VIRTUAL_HOST.test(url.hostname)) {
    throw new Error(
      'has the bucket in the host name; write s3://bucket/prefix, and the region as AWS_REGION',
    );
  }
  const [bucket = '', ...rest] = url.pathname.replace(/^\/+/, '').split('/');
  if (bucket === '') throw new Error(`names no bucket; ${EXPECTED}`);
  return { use: 's3', endpoint: url.origin, forcePathStyle: true, bucket, ...prefixOf(rest.join('/')) };
}

/** Slashes at either end say nothing; what else is wrong with a prefix, the settings' schema says. */
function prefixOf(text: string): StorageFields {
  const prefix = text.replaceAll(/^\/+|\/+$/g, '');
  return prefix === '' ? {} : { prefix };
}

/** Arguments that the s3 plugin has settings of its own for. */
const OWN_SETTING: Readonly<Record<string, string>> = {
  ServerSideEncryption: 'serverSideEncryption',
  SSEKMSKeyId: 'kmsKeyId',
};

/** A PutObject request has some forty arguments. */
const MOST_ARGUMENTS = 64;

/**
 * `cluster_fallback_export_s3_config`: settings of the s3 plugin, paths inside its entry.
 *
 * @throws a plain Error that says what is wrong, without the value
 */
export function putObjectSettings(
  text: string,
): { readonly path: readonly string[]; readonly value: string }[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error('is not JSON; expected PutObject arguments such as {"ServerSideEncryption": "aws:kms"}');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Error('expected a JSON object such as {"ServerSideEncryption": "aws:kms"}');
  }
  const pairs = Object.entries(parsed);
  if (pairs.length > MOST_ARGUMENTS) throw new Error(`has more than ${MOST_ARGUMENTS} arguments`);
  return pairs.map(([name, value]) => {
    if (!/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name)) {
      throw new Error('has a name that is no PutObject argument; they are letters and digits');
    }
    if (name.startsWith('SSECustomer')) {
      throw new Error(
        `${name}: objects under a customer's own key cannot be read back without it; use SSE-S3 or SSE-KMS`,
      );
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new Error(`${name}: expected text, a number, true or false`);
    }
    return { path: [OWN_SETTING[name] ?? ['putObject', name]].flat(), value: String(value) };
  });
}
