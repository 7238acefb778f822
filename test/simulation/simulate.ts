import { contentOf } from '../../src/snapshot/content.ts';
import { encodeSignedHead } from '../../src/snapshot/signed-head.ts';
import { Chance } from './chance.ts';
import { ControlPlaneNode, Database } from './control-plane.ts';
import { SimExporter } from './exporter.ts';
import { type NetworkFaults, ObjectStorage } from './object-storage.ts';
import { type Scenario, scenarioOf, THEMES, type Theme } from './scenario.ts';
import { hashOf, Truth, type Violation } from './truth.ts';
import { World } from './world.ts';

export interface Run {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly history: readonly string[];
  readonly scenario: Scenario;
  readonly heads: number;
  readonly versions: number;
  readonly events: number;
}

/** 2026-11-21T12:00:00Z */
const T0 = Date.UTC(2026, 10, 21, 12);
const NO_FAULTS: NetworkFaults = { lost: 0, answerLost: 0, duplicated: 0, slow: 0 };

/** One run: a time of faults, then three confirmation intervals of peace, after which everything must be right. */
export async function simulate(
  seed: number,
  theme: Theme = THEMES[seed % THEMES.length] as Theme,
  overrides: Partial<Scenario> = {},
): Promise<Run> {
  const chance = new Chance(seed);
  const scenario = { ...scenarioOf(chance, theme), ...overrides };
  const run = new Simulation(chance, scenario);
  await run.prepare();
  await run.trouble();
  await run.peace();
  const { truth, world, database } = run;
  return {
    seed,
    scenario,
    violations: truth.violations,
    history: truth.history,
    heads: truth.heads,
    versions: database.current.number,
    events: world.events,
  };
}

/** The cast and the stage; a test may also direct it by hand. */
export class Simulation {
  readonly world = new World(T0);
  readonly truth = new Truth(this.world);
  readonly database = new Database();
  readonly #chance: Chance;
  readonly #scenario: Scenario;
  #faults: NetworkFaults;
  #isPeace = false;
  readonly storages: ObjectStorage[] = [];
  readonly nodes: ControlPlaneNode[] = [];
  readonly exporters: SimExporter[] = [];

  constructor(chance: Chance, scenario: Scenario) {
    this.#chance = chance;
    this.#scenario = scenario;
    this.#faults = scenario.faults;
  }

  async prepare(): Promise<void> {
    const { world, truth } = this;
    const chance = this.#chance;
    const { confirmIntervalMs, exporters, nodes, storeSkewsMs } = this.#scenario;
    for (const options of nodes) this.nodes.push(new ControlPlaneNode(world, chance, this.database, options));
    for (const [index, skewMs] of storeSkewsMs.entries()) {
      const storage = await ObjectStorage.create(`store${index}`, world, skewMs, truth);
      this.storages.push(storage);
      truth.watch(storage);
    }
    const around = {
      world,
      chance,
      truth,
      storages: this.storages,
      nodes: this.nodes,
      faults: () => this.#faults,
      isPeace: () => this.#isPeace,
    };
    for (const plan of exporters) {
      const exporter = new SimExporter(plan, around);
      this.exporters.push(exporter);
      world.after(chance.between(0, confirmIntervalMs), () => exporter.start());
      this.#schedule(exporter, confirmIntervalMs * chance.next());
    }
  }

  async trouble(): Promise<void> {
    const { troubleMs, meanGapsMs } = this.#scenario;
    for (const [what, mean] of Object.entries(meanGapsMs)) {
      if (mean !== null) this.#recur(mean, this.#actions[what as keyof typeof meanGapsMs]);
    }
    await this.world.runUntil(T0 + troubleMs);
  }

  async peace(): Promise<void> {
    const { confirmIntervalMs } = this.#scenario;
    const { truth, world } = this;
    this.#isPeace = true;
    this.#faults = NO_FAULTS;
    for (const node of this.nodes) Object.assign(node, { up: true, connected: true });
    for (const storage of this.storages) storage.up = true;
    truth.note(
      `peace, at version ${this.database.current.number} ${hashOf(this.database.current.content).slice(0, 4)}`,
    );
    // The last stop and the last restart end, then three intervals.
    const began = Math.max(world.now, ...this.exporters.map(({ process }) => process.stoppedUntil));
    await world.runUntil(began + RESTART_MS + 3 * confirmIntervalMs);
    const right = hashOf(this.database.current.content);
    for (const storage of this.storages) {
      const head = truth.current(storage);
      const has = head?.entries[0]?.configHash;
      if (has !== right && !truth.isRejected(storage, right))
        truth.violate('at-rest', `${storage.id} holds ${has?.slice(0, 4)} instead of ${right.slice(0, 4)}`);
    }
    await this.#waitForIdentical();
  }

  /** A confirmation may be half-way; between two of them every store has the same head. */
  async #waitForIdentical(): Promise<void> {
    const { world, truth } = this;
    const end = world.now + this.#scenario.confirmIntervalMs;
    const nonces = () => new Set(this.storages.map((storage) => truth.current(storage)?.nonce));
    while (nonces().size > 1 && world.now < end) await world.runUntil(world.now + 1000);
    if (nonces().size > 1) truth.violate('identical', 'the stores hold different heads');
  }

  #schedule(exporter: SimExporter, ms: number): void {
    this.world.after(ms, () => {
      const jitter = this.#chance.between(0, 5000);
      this.world.after(jitter, () => exporter.tick(), exporter.process);
      this.#schedule(exporter, this.#scenario.confirmIntervalMs);
    });
  }

  #recur(mean: number, act: () => void): void {
    this.world.after(this.#chance.gap(mean), () => {
      if (this.#isPeace) return;
      act();
      this.#recur(mean, act);
    });
  }

  readonly #actions: Record<keyof Scenario['meanGapsMs'], () => void> = {
    change: () => this.#change(),
    stop: () => {
      const exporter = this.#chance.pick(this.exporters);
      const ms = this.#chance.between(1000, this.#scenario.longestStopMs);
      this.truth.note(`${exporter.plan.name} is stopped for ${Math.round(ms)} ms`);
      exporter.process.stop(ms);
    },
    kill: () => {
      const exporter = this.#chance.pick(this.exporters);
      exporter.kill();
      this.world.after(this.#chance.between(0, RESTART_MS), () => {
        if (exporter.process.dead) exporter.start();
      });
    },
    nodeDown: () => {
      const node = this.#chance.pick(this.nodes);
      this.truth.note(`control plane ${this.nodes.indexOf(node)} goes down`);
      node.goDown();
      this.#later(() => {
        node.up = true;
      });
    },
    databaseLost: () => {
      const node = this.#chance.pick(this.nodes);
      this.truth.note(`control plane ${this.nodes.indexOf(node)} loses its database`);
      node.connected = false;
      this.#later(() => {
        this.truth.note(`control plane ${this.nodes.indexOf(node)} has its database back`);
        node.connected = true;
      });
    },
    storeAway: () => {
      const storage = this.#chance.pick(this.storages);
      this.truth.note(`${storage.id} goes away`);
      storage.up = false;
      this.#later(() => {
        storage.up = true;
        this.truth.note(`${storage.id} is back`);
      });
    },
    rollback: () => void this.#rollback(),
    storeEmptied: () => void this.#chance.pick(this.storages).empty(),
  };

  /** What an operator's command does, in one moment: the former configuration again, and the current one rejected. */
  async #rollback(): Promise<void> {
    const [head] = this.storages.map((storage) => this.truth.current(storage));
    const [current, target, ...older] = head?.entries ?? [];
    if (head === undefined || current === undefined || target === undefined) return;
    const rejected = contentOf(head);
    const nonce = this.#chance.hex(32);
    this.truth.rolledBack(nonce, [rejected.configHash]);
    const hold = {
      target: target.document.sha256,
      rejected: [rejected],
      by: 'operator',
      reason: 'broke login',
      since: head.aliveAt,
      until: null,
    };
    const entries = [target, current, ...older];
    const bytes = encodeSignedHead({ ...head, nonce, hold, entries, sequence: head.sequence + 1 }, []);
    for (const storage of this.storages) await storage.replaceHead(bytes);
  }

  /** Sometimes several at once: first pushed, then coalesced. */
  #change(): void {
    const writers = this.nodes.filter(({ up, connected }) => up && connected);
    if (writers.length === 0 || this.database.current.number >= this.#scenario.maxVersions) return;
    const node = this.#chance.pick(writers);
    this.database.change(this.#chance, this.#scenario.repeatedContent);
    const { number, content } = this.database.current;
    this.truth.note(
      `version ${number} ${hashOf(content).slice(0, 4)} through control plane ${this.nodes.indexOf(node)}`,
    );
    node.wrote();
    if (this.#chance.is(0.4)) {
      this.world.after(this.#chance.between(50, 4000), () => {
        if (!this.#isPeace) this.#change();
      });
    }
  }

  #later(act: () => void): void {
    this.world.after(this.#chance.gap(this.#scenario.outageMs), () => {
      if (!this.#isPeace) act();
    });
  }
}

/** A process that was killed is there again within this. */
const RESTART_MS = 60_000;
