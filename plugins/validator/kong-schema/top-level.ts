import { isEntity, shownName } from './entity.ts';
import type { FindingList } from './finding-list.ts';

const FORMAT_VERSIONS = ['1.1', '2.1', '3.0'];
const MEMBERS_OF_KONG = new Set(['_format_version', '_transform', '_comment', '_ignore', '_workspace']);

type Table = Readonly<Record<string, unknown>>;

interface Origin {
  readonly fromControlPlane: boolean;
  readonly gatewayVersion: string;
}

/** `_format_version`, `_transform`, and members that no data plane knows. */
export function checkTopLevel(table: Table, origin: Origin, findings: FindingList): void {
  checkFormatVersion(table['_format_version'], origin, findings);
  checkTransform(table['_transform'], origin, findings);
  for (const name of Object.keys(table)) {
    if (name.startsWith('_') && !MEMBERS_OF_KONG.has(name)) unknownMember(name, findings);
  }
  if (origin.fromControlPlane) checkDefaultWorkspace(table['workspaces'], findings);
}

function checkFormatVersion(version: unknown, origin: Origin, findings: FindingList): void {
  const known = typeof version === 'string' && FORMAT_VERSIONS.includes(version);
  const olderThanGateway = version !== '3.0' && majorOf(origin.gatewayVersion) >= 3;
  if (known && !(origin.fromControlPlane && olderThanGateway)) return;
  findings.add({
    rule: 'format-version',
    message: known
      ? `_format_version is "${version}", which gateway ${origin.gatewayVersion} reads by other rules than a control plane of 3.0 and later writes by`
      : '_format_version is not one of "1.1", "2.1", "3.0" as a string',
    hint: 'A data plane refuses such a document as a whole.',
    path: ['_format_version'],
    recorded: !isNewerFormat(version),
  });
}

/** A control plane of the future may well be right about a version that is above all we know. */
function isNewerFormat(version: unknown): boolean {
  return typeof version === 'string' && /^\d{1,3}\.\d{1,3}$/.test(version) && Number(version) > 3;
}

function majorOf(gatewayVersion: string): number {
  return Number.parseInt(gatewayVersion, 10);
}

function checkTransform(transform: unknown, origin: Origin, findings: FindingList): void {
  if (origin.fromControlPlane && transform !== false) {
    findings.add({
      rule: 'transform',
      message: '_transform is not false, as it is in every document from a control plane',
      hint: 'A data plane would hash the hashed passwords again, and logins would stop working while all else looks healthy.',
      path: ['_transform'],
      recorded: true,
    });
  } else if (transform !== undefined && typeof transform !== 'boolean') {
    findings.add({
      rule: 'transform',
      message: '_transform is neither true nor false',
      hint: 'false for exported data, true (or left out) for a file with passwords in clear text.',
      path: ['_transform'],
      recorded: false,
    });
  }
}

function unknownMember(name: string, findings: FindingList): void {
  findings.add({
    rule: 'unknown-member',
    message: `${shownName(name)} at the top level is nothing that Kong knows`,
    hint: 'Kong refuses the whole document for it; files of decK hold such members (_info, _konnect, _plugin_configs): take them out.',
    path: [name.slice(0, 64)],
    recorded: false,
  });
}

function checkDefaultWorkspace(workspaces: unknown, findings: FindingList): void {
  const named =
    Array.isArray(workspaces) && workspaces.some((one) => isEntity(one) && one['name'] === 'default');
  if (named) return;
  findings.warn({
    rule: 'default-workspace',
    message: 'there is no workspace named default',
    hint: 'A data plane adds one with an id of its own; a control plane normally sends its own.',
    path: ['workspaces'],
  });
}
