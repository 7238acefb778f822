import { createHash } from 'node:crypto';
import none from '../../../plugins/encryption/none/index.ts';
import memory from '../../../plugins/storage/memory/index.ts';
import type { LineDependencies, LineSettings } from '../../../src/export/line.ts';
import { exportOnce, type OnceOptions } from '../../../src/export/once.ts';
import type { ExportOutcome } from '../../../src/export/outcome.ts';
import { LinePipeline } from '../../../src/export/pipeline.ts';
import { silentLogger } from '../../../src/observe/index.ts';
import type { Finding, ObjectStore, ReceivedConfiguration, Source } from '../../../src/plugin/index.ts';
import { Outside } from '../../../src/resilience/index.ts';
import type { PreparedDocument } from '../../../src/snapshot/document-worker.ts';
import { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { NOT_ENCRYPTED, Sealing } from '../../../src/snapshot/sealing.ts';
import { SnapshotStore } from '../../../src/snapshot/snapshot-store.ts';
import { FakeClock, pluginContext } from '../../../src/testing/index.ts';
import { T0 } from './heads.ts';

/** What a fake control plane sends: content named by a letter, generated some time before it is sent. */
export interface Sent {
  readonly letter: string;
  /** Age of the frame when it arrives, by the control plane's clock, milliseconds. */
  readonly ageMs?: number;
  readonly findings?: readonly Finding[];
  /** Called when the session is opened. */
  readonly onOpen?: () => void | Promise<void>;
  readonly noClock?: boolean;
}

export interface BenchExporter {
  readonly line: LinePipeline;
  readonly once: (options: OnceOptions) => Promise<ExportOutcome>;
}

let nonces = 1;

export const LINE = { cluster: 'test', gatewayVersion: '3.9.3' };

/** An exporter with a fake clock and control plane, over real stores, sealing and heads. */
export class ExportBench {
  readonly clock: FakeClock;
  readonly sent: Sent[] = [];
  readonly outside: Outside;
  opened = 0;
  #nonce = nonces++ * 1000;

  constructor(clock: FakeClock = new FakeClock({ now: T0, runs: true })) {
    this.clock = clock;
    this.outside = new Outside(clock, () => 0.5);
  }

  async store(id: string, objects?: ObjectStore): Promise<GuardedStore> {
    const store = objects ?? (await memory.create({}, pluginContext({ id, clock: this.clock })));
    return new GuardedStore({
      id,
      prefix: '',
      store,
      capabilities: { conditionalPut: true },
      outside: this.outside,
      // Deadlines must not run on a clock that moves whenever somebody sleeps.
      clock: new FakeClock({ now: T0 }),
    });
  }

  async exporter(
    stores: readonly GuardedStore[],
    settings: Partial<LineSettings> = {},
    sealing?: Sealing,
  ): Promise<BenchExporter> {
    const plugin = await none.create({}, pluginContext({ id: 'none', clock: this.clock }));
    const dependencies: LineDependencies = {
      stores: stores.map((store) => this.line(store)),
      prepare: async ({ received }) => prepared(received),
      sealing:
        sealing ??
        new Sealing([{ id: 'none', use: NOT_ENCRYPTED, plugin }], {
          outside: new Outside(new FakeClock(), () => 0.5),
          deadlineMs: 1000,
        }),
      signers: [],
      clock: this.clock,
      random: () => 0.5,
      nonce: () => (++this.#nonce).toString(16).padStart(32, '0'),
      log: silentLogger,
    };
    const line = new LinePipeline(
      {
        ...LINE,
        writer: 'bench',
        marginMs: 4000,
        confirmIntervalMs: 600_000,
        keep: { last: 3, hourly: 0, daily: 0 },
        maxSealedBytes: 1e6,
        successPolicy: 'any',
        ...settings,
      },
      dependencies,
    );
    const source = this.source();
    return {
      line,
      once: (options) => exportOnce(line, { source, clock: this.clock, log: silentLogger }, options),
    };
  }

  line(store: GuardedStore): SnapshotStore {
    return new SnapshotStore(store, { ...LINE, trust: new Trust([]) });
  }

  source(): Source {
    return {
      open: async () => {
        const next = this.sent[Math.min(this.opened, this.sent.length - 1)];
        this.opened++;
        if (next === undefined) throw new Error('the test sends nothing');
        await next.onOpen?.();
        return { configurations: this.#configurations(next), close: async () => {} };
      },
    };
  }

  async *#configurations(sent: Sent): AsyncGenerator<ReceivedConfiguration> {
    const now = this.clock.now();
    const message = { ...sent, timestamp: (now - (sent.ageMs ?? 0)) / 1000 };
    yield {
      form: 'document',
      bytes: new Uint8Array(Buffer.from(JSON.stringify(message))),
      ordinal: 1,
      peerTime: sent.noClock === true ? undefined : now,
      receivedAt: this.clock.monotonic(),
      fromControlPlane: true,
    };
  }
}

function prepared(received: ReceivedConfiguration): PreparedDocument {
  const {
    letter,
    timestamp,
    findings = [],
  } = JSON.parse(Buffer.from(received.bytes).toString()) as Sent & {
    timestamp: number;
  };
  const document = Buffer.from(letter.repeat(1000));
  return {
    compressed: new Uint8Array(document),
    sha256: createHash('sha256').update(document).digest('hex'),
    length: document.length,
    configHash: letter.repeat(32),
    hashes: null,
    timestamp,
    counts: { services: 30 },
    plugins: [],
    empty: false,
    loadableUntil: null,
    findings,
    timings: { inflateMs: 0, parseMs: 0, validateMs: 0, compressMs: 0 },
  };
}
