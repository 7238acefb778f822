import type { ShownFinding } from '../observe/metrics-state.ts';
import type { DrillResult } from './drill.ts';

/** What a drill of one line found wrong. A failure everywhere is critical: a new node would get nothing. */
export function drillFindings(results: readonly DrillResult[]): ShownFinding[] {
  const stores = results.filter(({ store }) => store !== null);
  const nothing = stores.length > 0 && stores.every(({ verdict }) => verdict === 'failed');
  return results.flatMap((result): ShownFinding[] => {
    const { gatewayVersion, store, verdict, error, findings } = result;
    const place = store === null ? 'the cache' : `storage ${store}`;
    const about = `${gatewayVersion} ${store ?? '(cache)'}`;
    if (verdict === 'failed') {
      return [
        {
          code: 'drill-failed',
          about,
          severity: nothing && store !== null ? 'critical' : 'warning',
          message: `nothing could be restored from ${place}: ${error?.message} [${error?.code}]`,
          ...(error?.hint !== undefined && { hint: error.hint }),
        },
      ];
    }
    if (verdict !== 'older') return [];
    const why = findings.map(({ message }) => message).join('; ');
    return [
      {
        code: 'drill-older',
        about,
        severity: 'warning',
        message: `only an older configuration could be restored from ${place}: ${why}`,
        hint: 'The exporter repairs a damaged snapshot within an hour; look at its log.',
      },
    ];
  });
}
