import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Site } from '../../e2e/site.ts';
import { S3Double, WRITER } from '../../s3/double.ts';
import { startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../../stand-in/frames.ts';
import { spread } from '../comparison.ts';
import type { Result } from '../result.ts';

const BIN =
  process.env['KONGFALLBACK_BIN'] ?? fileURLToPath(new URL('../../../bin/kongfallback.js', import.meta.url));
const ENTITIES = 72;
const DELAY_SECONDS = 1;
/** The schedule of the run, and how often an hour has the default one. */
const CONFIRM_SECONDS = 5;
const CONFIRMATIONS_PER_HOUR = 6;
const LAG_TARGET_MS = 1000;

/**
 * A running exporter over TLS and S3 (both in this process): how long a change takes to be durable after a quiet
 * time, and what it asks of the store for a change and in an idle hour.
 */
export async function following(rounds: number): Promise<Result[]> {
  const s3 = await new S3Double().start();
  const site = new Site({
    storages: [{ use: 's3', bucket: s3.bucket, region: 'us-east-1', endpoint: s3.endpoint, ...WRITER }],
    settings: {
      export: { delaySeconds: DELAY_SECONDS, confirmSchedule: `*/${CONFIRM_SECONDS} * * * * *` },
      service: { listen: 'off' },
    },
  });
  const controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  controlPlane.setFrame(fresh(0));
  site.pointAt(controlPlane.port);
  const exporter = new Exporter(site.directory);
  try {
    await exporter.event('export.published');
    const [lags, puts]: [number[], number[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      await pause(DELAY_SECONDS * 1000 + 500);
      const before = s3.count('put');
      const started = performance.now();
      controlPlane.setFrame(fresh(round));
      await exporter.event('export.published');
      lags.push(performance.now() - started);
      puts.push(s3.count('put') - before);
    }
    await exporter.event('export.confirmed');
    const [putsBefore, getsBefore] = [s3.count('put'), s3.count('get')];
    for (let n = 0; n < rounds; n++) await exporter.event('export.confirmed');
    const hourly = (count: number) => (count / rounds) * CONFIRMATIONS_PER_HOUR;
    const died = performance.now();
    await controlPlane.close();
    await exporter.event('control-plane.down');
    const noticed = performance.now() - died;
    const idle = 'idle hour';
    const scaled = 'default schedule, from what one confirmation takes';
    return [
      {
        ...result('export lag, change to durable', 'ms', lags),
        target: LAG_TARGET_MS,
        against: 'first change after idle, wall clock',
      },
      { ...result('storage writes for a change', 'requests', puts), target: 2, against: 'snapshot and head' },
      {
        ...result(`storage writes, ${idle}`, 'requests', [hourly(s3.count('put') - putsBefore)]),
        against: scaled,
      },
      {
        ...result(`storage reads, ${idle}`, 'requests', [hourly(s3.count('get') - getsBefore)]),
        against: scaled,
      },
      { ...result('exporter notices a killed control plane', 'ms', [noticed]), target: 1000 },
    ];
  } finally {
    await exporter.stop();
    await controlPlane.close();
    await s3.close();
    site.remove();
  }
}

function result(name: string, unit: Result['unit'], values: readonly number[]): Result {
  return {
    name,
    entities: ENTITIES,
    unit,
    value: spread(values),
    target: null,
    against: '',
    cpuSeconds: null,
  };
}

/** The recorded configuration with one value of its own. */
function fresh(version: number): Buffer {
  const document = recordedDocument('mixed').toString();
  const changed = document.replace('"name":"default"', `"name":"default","comment":"version ${version}"`);
  return encodeFrame(Buffer.from(changed), { timestamp: Date.now() / 1000 });
}

class Exporter {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(cwd: string) {
    const child = spawn(process.execPath, [BIN, 'export'], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: cwd },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (!line.startsWith('{')) return void process.stderr.write(`${line}\n`);
      const { event } = JSON.parse(line) as { event?: string };
      for (const wake of this.#waiting.get(event ?? '')?.splice(0) ?? []) wake();
    });
  }

  /** The next line of the log with this event. */
  event(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), resolve]);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}
