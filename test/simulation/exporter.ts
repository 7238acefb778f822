import { createHash } from 'node:crypto';
import { collectQuietly } from '../../src/export/collect.ts';
import { LineFollower } from '../../src/export/follow.ts';
import type { LineHeads } from '../../src/export/line-heads.ts';
import { LineStatus } from '../../src/export/line-status.ts';
import { exportOnce } from '../../src/export/once.ts';
import { LinePipeline } from '../../src/export/pipeline.ts';
import type { Settled, SettleOptions } from '../../src/export/settled.ts';
import { Findings } from '../../src/observe/index.ts';
import type { Encryption, Logger, ReceivedConfiguration, Source } from '../../src/plugin/index.ts';
import { Outside } from '../../src/resilience/index.ts';
import type { PreparedDocument } from '../../src/snapshot/document-worker.ts';
import { GuardedStore } from '../../src/snapshot/guarded-store.ts';
import { Trust } from '../../src/snapshot/keys.ts';
import { Sealing } from '../../src/snapshot/sealing.ts';
import { SnapshotStore } from '../../src/snapshot/snapshot-store.ts';
import type { Chance } from './chance.ts';
import type { Payload } from './control-plane.ts';
import type { NetworkFaults, ObjectStorage } from './object-storage.ts';
import { SimProcess } from './process.ts';
import { type SessionRecord, SimSource } from './source.ts';
import { type HeadLog, storeLink } from './store-link.ts';
import { hashOf, LINE, type Truth } from './truth.ts';
import type { World } from './world.ts';

export interface ExporterPlan {
  readonly name: string;
  /** A service, or a job that cron starts. */
  readonly kind: 'follow' | 'once';
  readonly skewMs: number;
  readonly stopChance: number;
  readonly longestStopMs: number;
  readonly confirmIntervalMs: number;
  readonly delayMs: number;
  readonly marginMs: number;
}

export interface ExporterSurroundings {
  readonly world: World;
  readonly chance: Chance;
  readonly truth: Truth;
  readonly storages: readonly ObjectStorage[];
  readonly nodes: ConstructorParameters<typeof SimSource>[3];
  readonly faults: () => NetworkFaults;
  readonly isPeace: () => boolean;
}

/** A backup node that runs the real classes; it may be stopped, killed, and started again without any memory. */
export class SimExporter {
  readonly plan: ExporterPlan;
  process: SimProcess;
  follower: LineFollower | undefined;
  readonly #around: ExporterSurroundings;
  #isRunning = false;

  constructor(plan: ExporterPlan, around: ExporterSurroundings) {
    this.plan = plan;
    this.#around = around;
    this.process = this.#born();
  }

  /** At each moment of its schedule. */
  tick(): void {
    if (this.plan.kind === 'once') this.#runOnce();
    else this.follower?.confirm();
  }

  start(): void {
    this.#around.truth.note(`${this.plan.name} starts`);
    this.process = this.#born();
    this.follower = undefined;
    if (this.plan.kind === 'follow') this.#follow();
    else this.#runOnce();
  }

  kill(): void {
    this.process.kill();
    this.#isRunning = false;
    this.follower = undefined;
    this.#around.truth.note(`${this.plan.name} is killed`);
  }

  #born(): SimProcess {
    const { chance, isPeace, world } = this.#around;
    const { stopChance } = this.plan;
    return new SimProcess(world, chance, { ...this.plan, stopChance: () => (isPeace() ? 0 : stopChance) });
  }

  #follow(): void {
    const { clock } = this.process;
    const { chance } = this.#around;
    const log = this.#log();
    const line = this.#line();
    const random = chance.next;
    const follower = new LineFollower(
      line,
      { delayMs: this.plan.delayMs, graceMs: 1000 },
      {
        source: line.source,
        clock,
        random,
        log,
        findings: new Findings(clock, log),
        status: new LineStatus(LINE.gatewayVersion, clock.now()),
        housekeep: async (work) => {
          if (!chance.is(0.3)) return;
          const { readings } = await line.readHeads(work);
          for (const { store, head } of readings) {
            if (head !== undefined) await collectQuietly(store, head, { now: line.now(), log, signal: work });
          }
        },
      },
    );
    this.follower = follower;
    follower.run(new AbortController().signal).catch((error: unknown) => {
      this.#around.truth.violate('crash', `${this.plan.name}: ${String(error)}`);
    });
  }

  /** Every run is a process of its own. */
  #runOnce(): void {
    // As `concurrencyPolicy: Forbid` has it.
    if (this.process.dead || this.#isRunning) return;
    this.#isRunning = true;
    this.process = this.#born();
    const line = this.#line();
    const { clock } = this.process;
    const options = { signal: new AbortController().signal };
    exportOnce(line, { source: line.source, clock, log: this.#log() }, options)
      .catch(() => {})
      .finally(() => {
        this.#isRunning = false;
      });
  }

  #log(): Logger {
    const write = ({ event, code, key }: Record<string, unknown>, message?: string) => {
      if (event === 'level.unread') this.#around.truth.excuse(String(key));
      this.#around.truth.note(`${this.plan.name}: ${event} ${message ?? ''} ${code ?? ''}`);
    };
    return { debug: write, info: write, warn: write, error: write };
  }

  #line(): WatchedLine {
    const { world, chance, faults, storages, truth } = this.#around;
    const { process } = this;
    const { clock } = process;
    const source = new SimSource(world, chance, process, this.#around.nodes, faults);
    const log = new EvidenceLog(truth, source, this.plan);
    const outside = new Outside(clock, chance.next);
    const stores = storages.map((storage) => {
      const store = storeLink(world, chance, process, storage, faults, log);
      const guarded = new GuardedStore({
        id: storage.id,
        prefix: '',
        store,
        capabilities: { conditionalPut: true },
        outside,
        clock,
      });
      return new SnapshotStore(guarded, { ...LINE, trust: new Trust([]) });
    });
    return new WatchedLine(
      {
        ...LINE,
        writer: this.plan.name,
        marginMs: this.plan.marginMs,
        confirmIntervalMs: this.plan.confirmIntervalMs,
        keep: { last: 4, hourly: 0, daily: 0 },
        maxSealedBytes: 1e6,
        successPolicy: 'any',
      },
      {
        stores,
        prepare: async ({ received }) => prepared(received),
        sealing: new Sealing([{ id: 'padded', use: 'padded', plugin: padded(chance) }], {
          outside,
          deadlineMs: 1000,
        }),
        signers: [],
        clock,
        random: chance.next,
        nonce: () => log.claim(chance.hex(32)),
        log: this.#log(),
      },
      source,
      log,
    );
  }
}

/** Tells the log which frame a head comes from. */
class WatchedLine extends LinePipeline {
  readonly source: Source;
  readonly #log: EvidenceLog;

  constructor(
    settings: ConstructorParameters<typeof LinePipeline>[0],
    deps: ConstructorParameters<typeof LinePipeline>[1],
    source: Source,
    log: EvidenceLog,
  ) {
    super(settings, deps);
    this.source = source;
    this.#log = log;
  }

  override async settle(
    heads: LineHeads,
    received: ReceivedConfiguration,
    options: SettleOptions,
  ): ReturnType<LinePipeline['settle']> {
    this.#log.settling(payloadOf(received));
    try {
      const settled = await super.settle(heads, received, options);
      // `once` leaves it at that (DESIGN.md D6); who follows says so in the head.
      if (typeof settled !== 'string' && settled.outcome.outcome === 'unchanged' && this.#log.follows) {
        this.#log.unchanged(heads.base?.nonce);
      }
      return settled satisfies Settled | string;
    } finally {
      this.#log.settling(undefined);
    }
  }
}

type Sent = Payload & { readonly session: number };

/** Rule 1: a head is replaced only by a frame of a session that was requested after that head was read. */
class EvidenceLog implements HeadLog {
  readonly #truth: Truth;
  readonly #source: SimSource;
  readonly #name: string;
  readonly follows: boolean;
  readonly #readAt = new Map<string, number>();
  #settling: Sent | undefined;

  constructor(truth: Truth, source: SimSource, { name, kind }: ExporterPlan) {
    this.follows = kind === 'follow';
    this.#truth = truth;
    this.#source = source;
    this.#name = name;
  }

  settling(sent: Sent | undefined): void {
    this.#settling = sent;
  }

  claim(nonce: string): string {
    const sent = this.#settling;
    if (sent !== undefined) {
      const { number, content, madeAt, session } = sent;
      this.#truth.claims(nonce, { version: { number, content }, madeAt, session });
    }
    return nonce;
  }

  unchanged(nonce: string | undefined): void {
    if (nonce !== undefined && this.#settling !== undefined)
      this.#truth.established(nonce, this.#settling.number);
  }

  answered(store: string, etag: string | undefined): void {
    const key = `${store} ${etag}`;
    if (!this.#readAt.has(key)) this.#readAt.set(key, this.#source.step());
  }

  swapping(store: string, etag: string | undefined): void {
    if (this.#settling === undefined) return;
    const { session } = this.#settling;
    const record = this.#source.sessions.get(session) as SessionRecord;
    if (etag !== undefined && this.#truth.sessionOf(store, etag) === session) return;
    if ((this.#readAt.get(`${store} ${etag}`) ?? Number.POSITIVE_INFINITY) <= record.requestedAt) return;
    this.#truth.violate(
      'evidence',
      `${this.#name} replaces ${etag} in ${store} upon version ${this.#settling.number}, requested before that head was read`,
    );
  }
}

function payloadOf(received: ReceivedConfiguration): Sent {
  return JSON.parse(Buffer.from(received.bytes).toString()) as Sent;
}

function prepared(received: ReceivedConfiguration): PreparedDocument {
  const { content, timestamp } = payloadOf(received);
  const document = Buffer.from(content.padEnd(64, '.'));
  return {
    compressed: new Uint8Array(document),
    sha256: createHash('sha256').update(document).digest('hex'),
    length: document.length,
    configHash: hashOf(content),
    hashes: null,
    timestamp,
    counts: { services: 30 },
    plugins: [],
    empty: false,
    loadableUntil: null,
    findings: [],
    timings: { inflateMs: 0, parseMs: 0, validateMs: 0, compressMs: 0 },
  };
}

/** As every encryption does: the same document sealed twice is two different objects. */
function padded(chance: Chance): Encryption {
  return {
    async *seal(document) {
      yield new Uint8Array(Buffer.from(chance.hex(16)));
      yield* document;
    },
    open: () => {
      throw new Error('an exporter opens nothing');
    },
  };
}
