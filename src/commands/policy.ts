import { type Command, Option } from 'commander';
import type { LoadedEntry } from '../config/index.ts';
import { FallbackError } from '../errors/index.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { iamPolicy, type PolicyRole, type S3Storage } from './iam-policy.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface PolicyFlags extends SettingsFlags {
  readonly role: PolicyRole;
  readonly storage?: string;
}

export function registerPolicy(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('policy'))
    .summary('the AWS IAM policy that the exporter, or whoever only reads, needs')
    .description(
      'Prints one policy for each s3 storage of the settings: exactly the requests that kongfallback makes there. Asks ' +
        'no store and changes nothing.',
    )
    .addOption(
      new Option('--role <role>', 'who gets it: the exporter, or readers (data planes, relays, monitors)')
        .choices(['exporter', 'reader'])
        .makeOptionMandatory(),
    )
    .option('--storage <id>', 'only this storage')
    .action((flags: PolicyFlags) => policyCommand(flags, io));
}

async function policyCommand(flags: PolicyFlags, io: CommandIo): Promise<void> {
  const { role, json, storage: wanted } = flags;
  const { loaded, redact } = await openCommandSettings('reader', flags, io, { level: 'error' });
  const storages = loaded.entries.storages.filter(
    ({ reference, use, id }) =>
      reference.url === null && use === 's3' && (wanted === undefined || id === wanted),
  );
  if (storages.length === 0) throw noneFound(wanted);
  const policies = storages.map((entry) => {
    const { bucket, endpoint } = entry.settings as { readonly bucket: string; readonly endpoint?: string };
    return { storage: entry.id, bucket, endpoint, policy: iamPolicy(role, storageOf(entry, io.env)) };
  });
  if (json === true) return io.stdout(`${redact(JSON.stringify({ role, policies }))}\n`);
  for (const { storage, bucket, endpoint, policy } of policies) {
    if (policies.length > 1 || endpoint !== undefined) io.stderr(note(storage, bucket, endpoint));
    io.stdout(`${redact(JSON.stringify(policy, null, 2))}\n`);
  }
}

/** What the plugin's schema has checked; its type is the plugin's own. */
function storageOf({ settings, prefix }: LoadedEntry, env: NodeJS.ProcessEnv): S3Storage {
  const given = settings as Omit<Partial<S3Storage>, 'bucket'> & { readonly bucket: string };
  return {
    prefix,
    bucket: given.bucket,
    region: given.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'],
    serverSideEncryption: given.serverSideEncryption,
    kmsKeyId: given.kmsKeyId,
    putObject: given.putObject ?? {},
  };
}

function note(storage: string, bucket: string, endpoint: string | undefined): string {
  const server =
    endpoint === undefined
      ? ''
      : `; ${endpoint} is not AWS: MinIO and Ceph take this form, other servers have their own`;
  return `storage ${storage}, bucket ${bucket}${server}\n`;
}

const noneFound = (wanted: string | undefined): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_POLICY_NO_S3',
    wanted === undefined
      ? 'the settings name no storage of the s3 plugin'
      : `the settings name no storage ${JSON.stringify(wanted)} of the s3 plugin`,
    {
      hint: 'Only S3 has IAM policies: rights on a directory are its owner and mode. See `storages` in the settings.',
    },
  );
