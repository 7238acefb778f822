// Entry of the document worker: loads the validators by reference, prepares one document or compares two, answers, and is
// ended.
import { parentPort, workerData } from 'node:worker_threads';
import { classify } from '../errors/index.ts';
import { prepare } from '../export/prepare.ts';
import { readDocument } from '../export/prepare-document.ts';
import { systemClock } from '../resilience/clock.ts';
import type {
  DocumentJob,
  DocumentWorkerData,
  DocumentWorkerMessage,
} from '../snapshot/document-worker-job.ts';
import type { DiffAnswer, DiffJob } from '../status/diff-worker.ts';
import { diffTables } from '../status/snapshot-diff.ts';
import { createValidators } from './prepare-worker-validators.ts';

const port = parentPort;
if (port === null) throw new Error('this module is the entry of a worker thread');

const send = (message: DocumentWorkerMessage, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

port.once('message', (job: DocumentJob | DiffJob) => {
  (job.form === 'diff' ? compare(job) : answer(job)).catch((thrown: unknown) => {
    const { kind, code, message, hint } = classify(thrown, 'preparing the configuration');
    send({ type: 'failed', error: { kind, code, message, hint } });
  });
});

async function compare({ from, to, maxDocumentBytes, ...options }: DiffJob): Promise<void> {
  const before = readDocument(from, maxDocumentBytes).table;
  const answer: DiffAnswer = {
    type: 'diff',
    diff: diffTables(before, readDocument(to, maxDocumentBytes).table, options),
  };
  port?.postMessage(answer);
}

async function answer(job: DocumentJob): Promise<void> {
  const validators = await createValidators(workerData as DocumentWorkerData, send);
  const document = await prepare(job, validators, systemClock);
  send({ type: 'prepared', document }, document.compressed === null ? [] : [document.compressed.buffer]);
}
