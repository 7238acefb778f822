import type { Problem, SettingsWarning } from './problem.ts';
import type { Role } from './role.ts';
import type { ParsedSettings } from './schema.ts';

/** What a role cannot do without, beyond what every role needs. */
export function roleProblems(role: Role, settings: ParsedSettings): Problem[] {
  const problems: Problem[] = [];
  const source = typeof settings.source === 'string' ? settings.source : settings.source.use;
  const connects = role === 'relay' || (role === 'exporter' && source === 'kong-hybrid');
  if (connects && settings.controlPlane === undefined) {
    problems.push({
      path: ['controlPlane'],
      message: `is required for the ${role}: { address, certificate, key }; or cluster_control_plane, cluster_cert and cluster_cert_key of Kong`,
    });
  }
  if (role === 'exporter' && settings.gatewayVersions.length === 0) {
    problems.push({
      path: ['gatewayVersions'],
      message: 'is required for the exporter: the exact gateway versions in use, such as ["3.9.1"]',
    });
  }
  if (role === 'node' && settings.bootstrap.target === undefined) {
    problems.push({
      path: ['bootstrap', 'target'],
      message:
        'is required for a node: what is done with the restored document, such as { use: file, path: … }',
    });
  }
  if (role === 'relay' && settings.relay.listen === undefined) {
    problems.push({
      path: ['relay', 'listen'],
      message: 'is required for the relay: host:port for data planes',
    });
  }
  return problems;
}

export function roleWarnings(role: Role, settings: ParsedSettings): SettingsWarning[] {
  const warnings: SettingsWarning[] = [];
  if (role === 'exporter' && settings.signing.privateKey === undefined) {
    warnings.push({
      code: 'KF_SETTINGS_UNSIGNED',
      message: 'signing.privateKey is not set: snapshots are published unsigned',
      hint: 'Run `kongfallback keygen`, give the private key to the exporter and the public key to the readers.',
    });
  }
  if (['node', 'relay', 'reader'].includes(role) && settings.signing.publicKeys === undefined) {
    warnings.push({
      code: 'KF_SETTINGS_UNVERIFIED',
      message: 'signing.publicKeys is not set: whoever can write to the storage decides what data planes run',
      hint: 'Set signing.publicKeys to what `kongfallback keygen` printed as the public key.',
    });
  }
  if (role === 'node' && settings.controlPlane === undefined) {
    warnings.push({
      code: 'KF_SETTINGS_NO_CONTROL_PLANE',
      message: 'controlPlane is not set: it is not probed, and every start restores from storage',
      hint: 'Set controlPlane to { address, certificate, key } as the data plane has them.',
    });
  }
  return warnings;
}
