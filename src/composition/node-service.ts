import { classify } from '../errors/index.ts';
import { type NodeHealthFacts, nodeHealth } from '../service/health-node.ts';
import { storeStates } from '../service/health-stores.ts';
import { startHttpService } from './http-service.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/** What only the bootstrap itself knows. */
export type NodeFacts = Pick<NodeHealthFacts, 'outcome' | 'outcomeAt' | 'handedBackAt' | 'failure'>;

/**
 * Health, metrics and status of a node that keeps running. Fails open: a node must not miss its configuration for a
 * port that is taken.
 *
 * @param facts asked for each answer
 */
export async function startNodeService(get: Get, facts: () => NodeFacts): Promise<void> {
  const [clock, log] = [get(Part.clock), get(Part.log)];
  const { cluster } = get(Part.settings).settings;
  const startedAt = clock.now();
  try {
    const stores = await get(Part.stores);
    await startHttpService(get, () =>
      nodeHealth({
        cluster,
        startedAt,
        stores: storeStates(stores, get(Part.breakers)),
        ...facts(),
      }),
    );
  } catch (thrown) {
    const { code, hint, message } = classify(thrown, 'service.listen');
    log.warn({ event: 'service.not-listening', code, hint }, message);
  }
}
