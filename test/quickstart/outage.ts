import { gunzipSync } from 'node:zlib';
import { LivingDataPlane } from '../e2e/relay-data-plane.ts';
import { RunningRelay } from '../e2e/running-relay.ts';
import type { Site } from '../e2e/site.ts';
import type { ControlPlaneProcess } from './control-plane.ts';
import { hold, type Story } from './story.ts';

/**
 * The second chapter: data planes that stay as they are. They dial one address, that of a relay, through an outage and
 * back; the relay is a process of the built command line, the data planes speak the recorded protocol from here.
 */
export class Outage {
  /** Seconds that an outage is noticed and trusted to be over in; in earnest 3 and 10. */
  static readonly RELAY = {
    listen: '127.0.0.1:0',
    tripSeconds: 1,
    stableSeconds: 1,
    drainSeconds: 0,
    cacheDirectory: 'relay-cache',
  } as const;

  readonly #story: Story;
  readonly #site: Site;
  /** What the storage holds, and the control plane. */
  readonly #document: Buffer;
  readonly #dataPlanes: LivingDataPlane[] = [];
  #relay: RunningRelay | undefined;

  constructor(story: Story, site: Site, document: Buffer) {
    this.#story = story;
    this.#site = site;
    this.#document = document;
  }

  /** The control plane is up. */
  async begin(controlPlane: ControlPlaneProcess): Promise<void> {
    this.#relay = new RunningRelay(this.#site, ['relay', '--set', 'log.level=info']);
    const relay = this.#relay;
    await this.#story.step('a relay is started where data planes can reach it', async () => {
      const { address } = await relay.event('relay.started');
      relay.port = Number(String(address).split(':').at(-1));
      await relay.verdict('up');
    });
    const first = await this.#story.step('a data plane dials the relay, and is passed through', async () => {
      const dataPlane = this.#dial();
      await dataPlane.at('control-plane');
      return dataPlane;
    });
    hold(controlPlane.saw(first.nodeId), 'the control plane sees the data plane itself');
    hold(first.frames === 1, 'it is configured by the control plane');
    this.#story.note('origin: control-plane');
  }

  /** The control plane was killed. */
  async during(): Promise<void> {
    const [first] = this.#dataPlanes as [LivingDataPlane];
    const before = { hash: first.hash, frames: first.frames };
    await this.#story.step('the data plane dials the same address again, and finds the stand-in', () =>
      first.at('stand-in'),
    );
    hold(first.hash === before.hash, 'it keeps its configuration');
    hold(first.frames === before.frames, 'it is sent nothing');
    this.#story.note(`keeps ${first.hash}, 0 configurations sent`);

    const created = await this.#story.step('a new data plane dials it, and is configured', async () => {
      const dataPlane = this.#dial();
      await dataPlane.at('stand-in');
      return dataPlane;
    });
    const [frame = Buffer.alloc(0)] = created.session?.frames ?? [];
    hold(
      frame.length > 0 && gunzipSync(frame).includes(this.#document),
      'it is sent byte for byte what the control plane sent last',
    );
    hold(created.hash === first.hash, 'both run the same configuration');
    this.#story.note(`origin: stand-in, runs ${created.hash}`);
  }

  /** The control plane is back. */
  async over(controlPlane: ControlPlaneProcess): Promise<void> {
    const [first, created] = this.#dataPlanes as [LivingDataPlane, LivingDataPlane];
    const { hash } = first;
    await this.#story.step('both return to it, one at a time', () =>
      Promise.all([first.at('control-plane'), created.at('control-plane')]),
    );
    for (const dataPlane of [first, created]) {
      hold(controlPlane.saw(dataPlane.nodeId), 'the control plane sees both again');
      hold(dataPlane.hash === hash, 'neither loads anything');
    }
    this.#story.note(
      `the running data plane was served by: ${servedBy(first)}\nthe new data plane was served by:     ${servedBy(created)}`,
    );
    const stopped = await this.#story.step('the relay is stopped', () =>
      (this.#relay as RunningRelay).stop(),
    );
    hold(stopped.code === 0, `the relay ends with 0; it said:\n${stopped.stderr}`);
  }

  async end(): Promise<void> {
    await Promise.all(this.#dataPlanes.map((dataPlane) => dataPlane.stop()));
    await this.#relay?.kill();
  }

  #dial(): LivingDataPlane {
    const dataPlane = new LivingDataPlane(() => ({
      port: this.#relay?.port ?? 0,
      certificate: this.#site.certificate,
    }));
    this.#dataPlanes.push(dataPlane);
    return dataPlane;
  }
}

/** Who answered, in order; several visits to the same one in a row are one. */
function servedBy({ visits }: LivingDataPlane): string {
  const origins = visits.map(({ origin }) => origin);
  return origins.filter((origin, index) => origin !== origins[index - 1]).join(' → ');
}
