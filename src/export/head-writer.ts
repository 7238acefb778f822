import type { Head } from '../snapshot/head.ts';
import type { Signer } from '../snapshot/keys.ts';
import { encodeSignedHead } from '../snapshot/signed-head.ts';
import { type Unsettled, unsettled } from './contention.ts';
import { nextSequence } from './decide.ts';
import type { LineSettings } from './line.ts';
import type { LineHeads } from './line-heads.ts';
import type { HeadFacts } from './next-head.ts';
import { type Publication, publish, type StoreResult, type StoreToWrite } from './publish.ts';

export interface HeadWriterDependencies {
  readonly signers: readonly Signer[];
  readonly nonce: () => string;
}

export interface HeadDestinations {
  readonly snapshot: Publication['snapshot'];
  readonly stores: readonly StoreToWrite[];
  /**
   * For a head without new evidence: stores that get it only when the others had not moved on meanwhile. Their condition
   * says nothing of that, and its sequence would be above that of the newer head.
   */
  readonly lagging?: readonly StoreToWrite[];
  /** Instead of the one of the settings, for whoever reports each store by itself. */
  readonly successPolicy?: LineSettings['successPolicy'];
}

const isUncontested = (results: readonly StoreResult[]): boolean =>
  results.some(({ outcome }) => outcome === 'written') &&
  results.every(({ outcome }) => outcome !== 'conflict');

/** Heads of one line on their way to every store, numbered upwards; by what was written the policy decides. */
export class HeadWriter {
  readonly #settings: LineSettings;
  readonly #deps: HeadWriterDependencies;
  #lastSequence = 0;

  constructor(settings: LineSettings, deps: HeadWriterDependencies) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /** @param now by the store's clock, milliseconds since 1970 */
  facts(heads: LineHeads, now: number): HeadFacts {
    const { cluster, gatewayVersion, writer } = this.#settings;
    const replaced = heads.readings.flatMap(({ head }) => (head === undefined ? [] : [head]));
    const sequence = nextSequence(replaced, this.#lastSequence, now);
    return { cluster, gatewayVersion, writer, nonce: this.#deps.nonce(), now, sequence, replaced };
  }

  /**
   * Success by policy; a lost race is looked at again before anything else is concluded.
   *
   * @param heads those that `head` replaces: what could not be read was not written either
   * @throws FallbackError a store's, when too few took it
   */
  async write(
    head: Head,
    heads: LineHeads,
    to: HeadDestinations,
    signal: AbortSignal,
  ): Promise<readonly StoreResult[] | Extract<Unsettled, 'conflict'>> {
    const bytes = encodeSignedHead(head, this.#deps.signers);
    const publication = { snapshot: to.snapshot, head: bytes };
    const written = await publish(publication, to.stores, signal);
    if (to.lagging !== undefined && isUncontested(written))
      written.push(...(await publish(publication, to.lagging, signal)));
    const unread = heads.failures.map(({ store, error }) => ({ store, outcome: 'failed' as const, error }));
    const results: StoreResult[] = [...written, ...unread];
    const good = results.filter((result) => result.outcome === 'written').length;
    if (good > 0) this.#lastSequence = head.sequence;
    if (results.some((result) => result.outcome === 'conflict')) return 'conflict';
    const enough =
      (to.successPolicy ?? this.#settings.successPolicy) === 'all' ? good === results.length : good > 0;
    if (!enough) throw results.find(({ error }) => error !== undefined)?.error ?? unsettled('conflict');
    return results;
  }
}
