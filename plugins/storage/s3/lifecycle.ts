import type { LifecycleRule } from '@aws-sdk/client-s3';
import type { Finding } from 'kongfallback/plugin';

/** Classes that an object is read from as ever. */
const READABLE = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'EXPRESS_ONEZONE',
];

/**
 * A snapshot is written once and stays for as long as the configuration does: a rule by age takes a quiet fleet's only one.
 * Rules for former versions and unfinished uploads do no harm.
 *
 * @param prefix of the entry, '' for none
 * @param tagged objects are written with tags, so that a rule for tags may mean them
 */
export function lifecycleFindings(
  rules: readonly LifecycleRule[],
  prefix: string,
  tagged: boolean,
): Finding[] {
  return rules
    .filter(
      (rule) => rule.Status === 'Enabled' && meets(prefixOf(rule), prefix) && (tagged || !hasTags(rule)),
    )
    .flatMap((rule) => [...expires(rule), ...archives(rule)]);
}

function expires({ Expiration: given, ID: id }: LifecycleRule): Finding[] {
  if (given?.Days === undefined && given?.Date === undefined) return [];
  const when = given.Days === undefined ? `on ${given.Date?.toISOString()}` : `after ${given.Days} days`;
  return [
    {
      code: 's3/lifecycle-deletes',
      severity: 'error',
      message: `lifecycle rule ${named(id)} deletes snapshots ${when}, also the only one of a fleet that changes nothing`,
      hint: 'Take the prefix out of that rule: kongfallback deletes what export.keep no longer keeps by itself.',
    },
  ];
}

function archives({ ID: id, Transitions: given = [] }: LifecycleRule): Finding[] {
  const away = given.find(({ StorageClass: to }) => to !== undefined && !READABLE.includes(to));
  if (away === undefined) return [];
  return [
    {
      code: 's3/lifecycle-archives',
      severity: 'error',
      message: `lifecycle rule ${named(id)} moves snapshots to ${away.StorageClass}, where they cannot be read at once`,
      hint: 'Take the prefix out of that rule, or choose a class that is read at once, such as GLACIER_IR.',
    },
  ];
}

const prefixOf = ({ Filter: filter, Prefix: old }: LifecycleRule): string =>
  filter?.Prefix ?? filter?.And?.Prefix ?? old ?? '';

const hasTags = ({ Filter: filter }: LifecycleRule): boolean =>
  filter?.Tag !== undefined || (filter?.And?.Tags ?? []).length > 0;

/** Some key begins with both. */
function meets(ruled: string, prefix: string): boolean {
  const own = prefix === '' ? '' : `${prefix}/`;
  return own.startsWith(ruled) || ruled.startsWith(own);
}

/** It comes from the server and goes to a terminal. */
const named = (id: string | undefined): string => JSON.stringify((id ?? 'without a name').slice(0, 255));
