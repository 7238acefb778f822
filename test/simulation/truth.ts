import { createHash } from 'node:crypto';
import type { Head } from '../../src/snapshot/head.ts';
import { Trust } from '../../src/snapshot/keys.ts';
import { openSignedHead } from '../../src/snapshot/signed-head.ts';
import type { Version } from './control-plane.ts';
import type { ObjectStorage, StorageWatch } from './object-storage.ts';
import type { World } from './world.ts';

export const LINE = { cluster: 'test', gatewayVersion: '3.9.3' };
const NO_KEYS = new Trust([]);
const DAY_MS = 86_400_000;

/** What an exporter had in hand when it wrote a head. */
export interface Evidence {
  readonly version: Version;
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
  readonly #byEtag = new Map<string, Written>();
  /** Since when a snapshot is listed no more, by store and key. */
  readonly #delisted = new Map<string, number>();
  readonly #startedAt: number;
  /** Of all that any reader can have seen. */
  #highest: Head | undefined;
  readonly history: string[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#startedAt = world.now;
  }

  /** A head with this nonce says that the control plane holds this version. */
  claims(nonce: string, evidence: Evidence): void {
    this.#evidence.set(nonce, evidence);
  }

  /** Session whose frame led to the head under this ETag. */
  sessionOf(store: string, etag: string): number | undefined {
    return this.#byEtag.get(`${store} ${etag}`)?.session;
  }

  headWritten(store: ObjectStorage, bytes: Uint8Array, etag: string): void {
    this.heads++;
    const { head } = openSignedHead(bytes, LINE, NO_KEYS, store.id);
    const former = this.#current.get(store.id);
    const evidence = this.#evidence.get(head.nonce);
    if (evidence === undefined) this.#checkAlive(store, head, former?.head);
    else if (head.entries[0]?.configHash !== hashOf(evidence.version.content)) {
      this.violate('claim', `${store.id}: ${describe(head)} upon version ${evidence.version.number}`);
    }
    const version = evidence?.version.number ?? former?.version ?? 0;
    this.note(`${store.id}: ${describe(head)} = version ${version} by ${head.writer}`);
    if (former === undefined) {
      const seen = this.#highest;
      if (seen !== undefined && head.sequence <= seen.sequence && head.nonce !== seen.nonce) {
        this.violate('sequence', `${store.id} begins anew at ${head.sequence}, readers saw ${seen.sequence}`);
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
    const written = { head, version, session: evidence?.session };
    this.#current.set(store.id, written);
    this.#byEtag.set(`${store.id} ${etag}`, written);
    if (head.sequence >= (this.#highest?.sequence ?? 0)) this.#highest = head;
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

  /** Without evidence a head may only say that an exporter is there. */
  #checkAlive(store: ObjectStorage, head: Head, former: Head | undefined): void {
    const same =
      former !== undefined &&
      head.confirmedAt === former.confirmedAt &&
      JSON.stringify(head.entries) === JSON.stringify(former.entries);
    if (!same) this.violate('evidence', `${store.id}: ${describe(head)} without any`);
  }

  #checkSnapshots(store: ObjectStorage, head: Head): void {
    for (const [index, { key, sealed }] of head.entries.entries()) {
      const digest = store.digest(key);
      if (digest === sealed.sha256) continue;
      const which = index === 0 ? 'current' : 'older';
      const how = digest === undefined ? 'not there' : 'another one';
      this.violate(`snapshot-${which}`, `${store.id}: ${describe(head)} names ${key}, which is ${how}`);
    }
  }
}

export const hashOf = (content: string): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 32);

const describe = (head: Head): string =>
  `head ${head.sequence} ${head.controlPlane.state} ${head.entries[0]?.configHash?.slice(0, 4)} of ${head.entries[0]?.asOf.slice(11)}`;
