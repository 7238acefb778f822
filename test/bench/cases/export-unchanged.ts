import { readFile } from 'node:fs/promises';
import { prepareWith } from '../../../src/export/prepare-step.ts';
import { peekFrame } from '../../../src/kong/frame.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import type { DocumentWorker } from '../../../src/snapshot/document-worker.ts';
import type { SnapshotEntry } from '../../../src/snapshot/head.ts';
import { spread } from '../comparison.ts';
import type { Fleet } from '../fleet.ts';
import type { Result } from '../result.ts';

const TARGET_AT = 100_000;
const TARGET = 0.05;
const ARRIVALS = 200;

/**
 * The published configuration arrives once more in a running exporter: from the frame to "nothing to do", against
 * JSON.parse of its document, both in this process.
 */
export async function exportUnchanged(fleet: Fleet, rounds: number): Promise<Result> {
  const bytes = new Uint8Array(await readFile(fleet.frame));
  const text = await readFile(fleet.document, 'latin1');
  const { configHash = null, documentLength = 0 } = peekFrame(bytes);
  const untouched = { run: () => Promise.reject(new Error('the document was read again')) };
  const prepare = prepareWith(untouched as unknown as DocumentWorker, {
    clock: systemClock,
    maxDocumentBytes: 2 ** 29,
    deadlineMs: 60_000,
  });
  const current = {
    configHash,
    hashes: null,
    document: { sha256: '0'.repeat(64), length: documentLength, compression: 'gzip' },
    counts: {},
    plugins: [],
    loadableUntil: null,
  } as unknown as SnapshotEntry;
  const received = {
    form: 'frame',
    bytes,
    ordinal: 1,
    peerTime: undefined,
    receivedAt: 0,
    fromControlPlane: true,
  } as const;
  const line = { cluster: 'bench', gatewayVersion: '3.9.3' };
  const signal = new AbortController().signal;
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const arrived = await cpuSeconds(async () => {
      for (let n = 0; n < ARRIVALS; n++) await prepare({ received, line, current }, signal);
    });
    const parsed = await cpuSeconds(async () => JSON.parse(text));
    if (round > 0) ratios.push(arrived / ARRIVALS / parsed);
  }
  return {
    name: 'export, unchanged frame',
    entities: fleet.entities,
    unit: 'x',
    value: spread(ratios),
    target: fleet.entities === TARGET_AT ? TARGET : null,
    against: `JSON.parse; both in one process, ${ARRIVALS} arrivals`,
    cpuSeconds: null,
  };
}

async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
