// Entry of the document worker: loads the validators by reference, prepares one document, answers, and is ended.
import { parentPort, workerData } from 'node:worker_threads';
import { classify } from '../errors/index.ts';
import { prepare } from '../export/prepare.ts';
import { systemClock } from '../resilience/clock.ts';
import type {
  DocumentJob,
  DocumentWorkerData,
  DocumentWorkerMessage,
} from '../snapshot/document-worker-job.ts';
import { createValidators } from './prepare-worker-validators.ts';

const port = parentPort;
if (port === null) throw new Error('this module is the entry of a worker thread');

const send = (message: DocumentWorkerMessage, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

port.once('message', (job: DocumentJob) => {
  answer(job).catch((thrown: unknown) => {
    const { kind, code, message, hint } = classify(thrown, 'preparing the configuration');
    send({ type: 'failed', error: { kind, code, message, hint } });
  });
});

async function answer(job: DocumentJob): Promise<void> {
  const validators = await createValidators(workerData as DocumentWorkerData, send);
  const document = await prepare(job, validators, systemClock);
  send({ type: 'prepared', document }, document.compressed === null ? [] : [document.compressed.buffer]);
}
