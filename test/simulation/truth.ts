import { createHash } from 'node:crypto';
import type { Head } from '../../src/snapshot/head.ts';
import { Trust } from '../../src/snapshot/keys.ts';
import { openSignedHead } from '../../src/snapshot/signed-head.ts';
import type { Version } from './control-plane.ts';
import type { ObjectStorage, StorageWatch } from './object-storage.ts';
import type { World } from './world.ts';

export const LINE = { cluster: 'test', gatewayVersion: '3.9.3' };
const NO_KEYS = new Trust([]);
/** A snapshot that went up before its store was emptied is lost to the head that follows it. */
const UPLOAD_MS = 150_000;
/** The store's clock is known to 3 s: whole seconds, and up to 2 s for the answer that tells it. */
const CLOCK_SLACK_S = 3;
export const MARGIN_MS = 4000;
const DAY_MS = 86_400_000;

/** What an exporter had in hand when it wrote a head. */
export interface Evidence {
  readonly version: Version;
  /** True time of the export that it shows. */
  readonly madeAt: number;
  /** Of the session whose frame it is. */
  readonly session: number;
}

export interface Violation {
  readonly rule: string;
  readonly at: number;
  readonly what: string;
}

interface Written {
  readonly head: Head;
  readonly version: number;
  readonly session: number | undefined;
}

/** Looks at every head at the moment it takes effect, and knows what the control plane really held. */
export class Truth implements StorageWatch {
  readonly violations: Violation[] = [];
  heads = 0;
  readonly #world: World;
  readonly #evidence = new Map<string, Evidence>();
  readonly #current = new Map<string, Written>();
  /** Sequences that readers have seen in each store, also before it was emptied. */
  readonly #seen = new Map<string, number>();
  /** What heads without evidence list, by their nonce. */
  readonly #copies = new Map<string, Written>();
  readonly #rollbacks = new Map<string, readonly (string | null)[]>();
  /** What a rollback in force rejects, by store. */
  readonly #rejected = new Map<string, readonly (string | null)[]>();
  readonly #byEtag = new Map<string, Written>();
  /** Since when a snapshot is listed no more, by store and key. */
  readonly #delisted = new Map<string, number>();
  /** Of all heads: equal content keeps the youngest. */
  readonly #asOfs = new Set<string>();
  readonly #excused = new Set<string>();
  readonly #emptiedAt = new Map<string, readonly number[]>();
  readonly #startedAt: number;
  readonly #stores: ObjectStorage[] = [];
  readonly history: string[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#startedAt = world.now;
  }

  /** The store that has this older snapshot did not give it. */
  excuse(key: string): void {
    this.#excused.add(key);
  }

  watch(store: ObjectStorage): void {
    this.#stores.push(store);
  }

  /** A head with this nonce says that the control plane holds this version. */
  claims(nonce: string, evidence: Evidence): void {
    this.#evidence.set(nonce, evidence);
  }

  /** An operator went back to an older configuration: from here on the versions count anew. */
  rolledBack(nonce: string, rejected: readonly (string | null)[]): void {
    this.#rollbacks.set(nonce, rejected);
  }

  /** An exporter takes the head with this nonce for what the control plane holds at this version. */
  established(nonce: string, version: number): void {
    for (const [store, written] of this.#current) {
      if (written.head.nonce !== nonce || written.version >= version) continue;
      this.#current.set(store, { ...written, version });
    }
  }

  /** Session whose frame led to the head under this ETag. */
  sessionOf(store: string, etag: string): number | undefined {
    return this.#byEtag.get(`${store} ${etag}`)?.session;
  }

  headWritten(store: ObjectStorage, bytes: Uint8Array, etag: string): void {
    this.heads++;
    const { head } = openSignedHead(bytes, LINE, NO_KEYS, store.id);
    const rejected = this.#rollbacks.get(head.nonce);
    if (rejected !== undefined) {
      this.note(`${store.id}: ${describe(head)} by an operator`);
      this.#rejected.set(store.id, rejected);
      this.#become(store, head, etag, 0);
      return;
    }
    const former = this.#current.get(store.id);
    this.#checkRollback(store, head, former?.head);
    const claimed = this.#evidence.get(head.nonce);
    const copied = this.#copies.get(head.nonce) ?? this.#levelledFrom(head);
    if (copied !== undefined) this.#copies.set(head.nonce, copied);
    // A frame that is not published: the head says only that an exporter is there.
    const evidence = copied === undefined ? claimed : undefined;
    if (evidence === undefined) this.#checkAlive(store, head, copied);
    else if (head.entries[0]?.configHash !== hashOf(evidence.version.content)) {
      this.violate('claim', `${store.id}: ${describe(head)} upon version ${evidence.version.number}`);
    } else this.#checkAsOf(store, head, evidence);
    const version = Math.max(versionOf(head, evidence, former), copied?.version ?? 0);
    this.note(`${store.id}: ${describe(head)} = version ${version} by ${head.writer}`);
    if (former === undefined) {
      const seen = this.#seen.get(store.id) ?? 0;
      if (head.sequence < seen - CLOCK_SLACK_S && !this.#wasEmptiedTwice(store)) {
        this.violate('sequence', `${store.id} begins anew at ${head.sequence}, readers saw ${seen}`);
      }
    } else {
      if (head.sequence <= former.head.sequence) {
        this.violate('sequence', `${store.id}: ${describe(former.head)} -> ${describe(head)}`);
      }
      if (version < former.version) {
        const was = `version ${former.version} (${describe(former.head)})`;
        this.violate('regression', `${store.id}: ${was} -> version ${version} (${describe(head)})`);
      }
      for (const { key } of former.head.entries) {
        this.#delisted.set(`${store.id} ${key}`, this.#world.now);
      }
    }
    this.#checkSnapshots(store, head);
    this.#become(store, head, etag, version, claimed?.session);
  }

  #become(store: ObjectStorage, head: Head, etag: string, version: number, session?: number): void {
    const written = { head, version, session };
    this.#current.set(store.id, written);
    this.#byEtag.set(`${store.id} ${etag}`, written);
    this.#seen.set(store.id, head.sequence);
  }

  /** It holds until the control plane has something new, whoever restarts meanwhile. */
  #checkRollback(store: ObjectStorage, head: Head, former: Head | undefined): void {
    const current = head.entries[0]?.configHash ?? null;
    if (this.#rejected.get(store.id)?.includes(current)) {
      this.violate('rollback', `${store.id}: ${describe(head)} is what an operator rejected`);
    } else if (current !== former?.entries[0]?.configHash) {
      this.#rejected.delete(store.id);
    }
  }

  /** The control plane's own may be what a rollback keeps out. */
  isRejected(store: ObjectStorage, configHash: string): boolean {
    return this.#rejected.get(store.id)?.includes(configHash) ?? false;
  }

  deleted(store: ObjectStorage, key: string): void {
    const below = key.slice(`${LINE.gatewayVersion}/`.length);
    if (this.#current.get(store.id)?.head.entries.some((entry) => entry.key === below)) {
      this.violate('retention', `${store.id}: deleted ${below}, which the head lists`);
    }
    const since = this.#delisted.get(`${store.id} ${below}`);
    if (since !== undefined && this.#world.now - since < DAY_MS) {
      this.violate(
        'retention',
        `${store.id}: deleted ${below}, ${this.#world.now - since} ms after a head listed it`,
      );
    }
  }

  emptied(store: ObjectStorage): void {
    this.note(`${store.id}: emptied`);
    this.#current.delete(store.id);
    this.#emptiedAt.set(store.id, [...(this.#emptiedAt.get(store.id) ?? []), this.#world.now]);
  }

  current(store: ObjectStorage): Head | undefined {
    return this.#current.get(store.id)?.head;
  }

  violate(rule: string, what: string): void {
    this.violations.push({ rule, at: this.#world.now - this.#startedAt, what });
    this.note(`VIOLATION ${rule}: ${what}`);
  }

  note(what: string): void {
    this.history.push(`${String(Math.round(this.#world.now - this.#startedAt)).padStart(8)} ${what}`);
  }

  /** Rule 2: known to within the margin, whatever the clocks of everybody else show. */
  #checkAsOf(store: ObjectStorage, head: Head, { madeAt }: Evidence): void {
    const asOf = head.entries[0]?.asOf ?? '';
    const isKept = this.#asOfs.has(asOf);
    this.#asOfs.add(asOf);
    const error = Date.parse(asOf) - store.wallAt(madeAt);
    if (isKept || Math.abs(error) <= MARGIN_MS) return;
    this.violate('as-of', `${store.id}: ${describe(head)} is off by ${Math.round(error)} ms`);
  }

  /** Without evidence a head may only say that an exporter is there. */
  #checkAlive(store: ObjectStorage, head: Head, copied: Written | undefined): void {
    if (copied === undefined) this.violate('evidence', `${store.id}: ${describe(head)} without any`);
  }

  /** Any store's head that lists the same with the same evidence; a store that was away is levelled to it. */
  #levelledFrom(head: Head): Written | undefined {
    return [...this.#current.values()].find(
      (other) =>
        head.nonce !== other.head.nonce &&
        head.confirmedAt === other.head.confirmedAt &&
        JSON.stringify(head.entries) === JSON.stringify(other.head.entries),
    );
  }

  /** Who found no head before the first time finds none after the second: no condition can tell them apart. */
  #wasEmptiedTwice(store: ObjectStorage): boolean {
    const last = this.#emptiedAt.get(store.id)?.at(-2);
    return last !== undefined && this.#world.now - last < 2 * UPLOAD_MS;
  }

  #checkSnapshots(store: ObjectStorage, head: Head): void {
    for (const [index, { key, sealed }] of head.entries.entries()) {
      const digest = store.digest(key);
      if (digest === sealed.sha256) continue;
      if (this.#world.now - (this.#emptiedAt.get(store.id)?.at(-1) ?? 0) < UPLOAD_MS) this.#excused.add(key);
      if (this.#excused.has(key)) continue;
      // Two stores that were emptied one after the other: what was in neither at that time is lost.
      if (index > 0 && !this.#stores.some((other) => other.digest(key) === sealed.sha256)) continue;
      const which = index === 0 ? 'current' : 'older';
      const how = digest === undefined ? 'not there' : 'another one';
      this.violate(`snapshot-${which}`, `${store.id}: ${describe(head)} names ${key}, which is ${how}`);
    }
  }
}

/** A head that says the same again keeps the youngest evidence: its `asOf` never falls. */
function versionOf(head: Head, evidence: Evidence | undefined, former: Written | undefined): number {
  const claimed = evidence?.version.number ?? 0;
  const isSame = former?.head.entries[0]?.configHash === head.entries[0]?.configHash;
  return isSame ? Math.max(claimed, former?.version ?? 0) : claimed;
}

export const hashOf = (content: string): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 32);

const describe = (head: Head): string =>
  `head ${head.sequence} ${head.controlPlane.state} ${head.entries[0]?.configHash?.slice(0, 4)} of ${head.entries[0]?.asOf.slice(11)}`;
