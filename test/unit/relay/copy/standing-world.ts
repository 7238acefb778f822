import { gunzipSync } from 'node:zlib';
import { Findings, silentLogger } from '../../../../src/observe/index.ts';
import type { Logger } from '../../../../src/plugin/index.ts';
import {
  StandingCopies,
  type StandingCopiesDependencies,
} from '../../../../src/relay/copy/standing-copies.ts';
import type { Provision } from '../../../../src/relay/provision.ts';
import { World } from '../../restore/restore-world.ts';
import type { MemoryLineStore } from '../../snapshot/memory-line-store.ts';
import { SIGNAL } from '../../snapshot/streams.ts';

/** A relay's copies of what the stores of a `World` hold. */
export class StandingWorld {
  readonly world: World;
  readonly events: Record<string, unknown>[] = [];
  readonly provided: string[] = [];
  findings: Findings;

  static async create(): Promise<StandingWorld> {
    return new StandingWorld(await World.create());
  }

  constructor(world: World) {
    this.world = world;
    this.findings = new Findings(world.clock, silentLogger);
  }

  get stores(): MemoryLineStore[] {
    return this.world.stores;
  }

  /** As after a start; an earlier one is as good as gone. */
  copies(changes: Partial<StandingCopiesDependencies> = {}): StandingCopies {
    const { world, events } = this;
    this.findings = new Findings(world.clock, silentLogger);
    const note = (fields: object) => void events.push(fields as Record<string, unknown>);
    const log: Logger = { ...silentLogger, info: note, warn: note, error: note };
    return new StandingCopies({
      cluster: 'production',
      gatewayVersions: ['3.9.3'],
      stores: world.stores,
      sealing: () => world.sealing,
      trust: () => world.trust,
      check: async () => {
        throw new Error('a signed snapshot was judged');
      },
      cacheDirectory: `${world.directory}/cache`,
      limits: { maxSealedBytes: 1_000_000, maxDocumentBytes: 1_000_000 },
      clock: world.clock,
      random: () => 0.5,
      log,
      findings: this.findings,
      onProvision: (version) => void this.provided.push(version),
      ...changes,
    });
  }

  async refreshed(copies = this.copies()): Promise<StandingCopies> {
    await copies.refresh({ signal: SIGNAL });
    return copies;
  }

  /** Calls of all stores since the last time. */
  calls(): string[] {
    return this.stores.flatMap(({ id, calls }) => calls.splice(0).map((call) => `${id} ${call}`)).sort();
  }

  /** `code about` of what stands. */
  standing(): string[] {
    return this.findings
      .list()
      .map(({ code, about }) => `${code} ${about}`)
      .sort();
  }
}

export function messageOf(provision: Provision | undefined): Record<string, unknown> {
  const whole = Buffer.concat(provision?.frame.pieces ?? []);
  const at = [2, 4, 10].find((offset) => whole[offset] === 0x1f && whole[offset + 1] === 0x8b);
  return JSON.parse(gunzipSync(whole.subarray(at)).toString());
}
