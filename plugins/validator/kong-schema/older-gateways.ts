import { type Group, isEntity, isSet, pathOf, shownEntity } from './entity.ts';
import type { FindingList } from './finding-list.ts';

/**
 * Plugin settings that a 3.9.3 control plane leaves in the documents it writes for older data planes, which refuse
 * them with "unknown field" (recorded with real ones of 3.4.2 and 3.5.0; 3.6.1 and later accept all three).
 */
const NOT_REMOVED: readonly { plugin: string; field: string; since: number }[] = [
  { plugin: 'rate-limiting', field: 'redis', since: 6 },
  { plugin: 'response-ratelimiting', field: 'redis', since: 6 },
  { plugin: 'proxy-cache', field: 'redis', since: 6 },
  { plugin: 'proxy-cache', field: 'response_headers', since: 5 },
];

/** A frame from the control plane is no proof that a data plane of that version can load it. */
export function checkOlderGateways(
  groups: readonly Group[],
  gatewayVersion: string,
  findings: FindingList,
): void {
  const minor = /^3\.(\d{1,3})\./.exec(gatewayVersion)?.[1];
  const refused = NOT_REMOVED.filter(({ since }) => minor !== undefined && Number(minor) < since);
  if (refused.length === 0) return;
  for (const { name, entities } of groups) {
    if (name !== 'plugins') continue;
    entities.forEach((entity, position) => {
      const { config } = entity;
      for (const { plugin, field, since } of refused) {
        if (entity['name'] !== plugin || !isEntity(config) || !isSet(config[field])) continue;
        findings.add({
          rule: 'unknown-field',
          message: `${shownEntity(name, entity, position)} (${plugin}) has config.${field}, which gateway ${gatewayVersion} refuses`,
          hint: `A control plane sends it to data planes below 3.${since} all the same; upgrade them, or configure ${plugin} without it (pre-function, another plugin) for them.`,
          path: pathOf(name, entity, position, `config.${field}`),
          recorded: true,
        });
      }
    });
  }
}
