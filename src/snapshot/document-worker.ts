import { Worker, type WorkerOptions } from 'node:worker_threads';
import { FallbackError } from '../errors/index.ts';
import type { Clock, Logger } from '../plugin/index.ts';
import { aborted } from '../resilience/index.ts';
import type {
  DocumentJob,
  DocumentWorkerData,
  DocumentWorkerMessage,
  PreparedDocument,
  ValidatorReference,
} from './document-worker-job.ts';
import { resourceLimits } from './document-worker-limits.ts';

export type {
  DocumentJob,
  PreparedDocument,
  PrepareTimings,
  ValidatorReference,
} from './document-worker-job.ts';

export interface DocumentWorkerOptions {
  /** The worker's module: `prepare-worker.ts` in the source, `prepare-worker.js` beside the bundle. */
  readonly entryUrl: URL;
  readonly validators: readonly ValidatorReference[];
  readonly clock: Clock;
  /** Folder of the settings file; the working directory without one. */
  readonly baseDirectory?: string;
  /** Where the validators' log lines go; nowhere without one. */
  readonly log?: Logger;
  /** Flags of the worker's Node; by default those of this process. */
  readonly execArgv?: readonly string[];
}

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

/**
 * The main thread's half of every look into a document: it never parses one itself. One thread per job, so that
 * the memory returns to the system, and a crash or an endless validator costs one job and nothing else.
 */
export class DocumentWorker {
  readonly #options: DocumentWorkerOptions;

  constructor(options: DocumentWorkerOptions) {
    this.#options = options;
  }

  /**
   * Takes `job.bytes` along: they are detached afterwards unless they were a part of a larger buffer.
   *
   * @throws FallbackError what the worker found (`corrupt`, `unsupported`, a validator's own kind), `unavailable`
   * KF_WORKER_DEADLINE, KF_WORKER_EXITED or KF_WORKER_CRASHED, `unsupported` KF_WORKER_OUT_OF_MEMORY, `aborted`
   */
  async run(job: DocumentJob, { signal, deadlineMs }: RunOptions): Promise<PreparedDocument> {
    if (signal.aborted) throw aborted(signal);
    const worker = this.#start(job);
    const done = new AbortController();
    let onAbort = () => {};
    try {
      return await new Promise<PreparedDocument>((resolve, reject) => {
        onAbort = () => reject(aborted(signal));
        signal.addEventListener('abort', onAbort, { once: true });
        this.#options.clock.sleep(deadlineMs, done.signal).then(
          () => reject(deadlineExceeded(deadlineMs)),
          () => {},
        );
        worker.on('message', (message: DocumentWorkerMessage) => {
          if (message.type === 'prepared') resolve(message.document);
          else if (message.type === 'failed') reject(rebuilt(message.error));
          else this.#options.log?.[message.level](message.fields, message.message);
        });
        worker.on('messageerror', (cause) => reject(crashed(cause)));
        worker.on('error', (cause) => reject(crashed(cause)));
        worker.on('exit', (code) => reject(exited(code)));
        const bytes = transferable(job.bytes);
        worker.postMessage({ ...job, bytes }, [bytes.buffer]);
      });
    } finally {
      done.abort();
      signal.removeEventListener('abort', onAbort);
      // Not awaited: a thread inside a long native call ends only when that returns.
      void worker.terminate();
    }
  }

  #start(job: DocumentJob): Worker {
    const { baseDirectory = process.cwd(), entryUrl, execArgv, validators } = this.#options;
    const workerData: DocumentWorkerData = { validators, cluster: job.cluster, baseDirectory };
    const options = {
      name: 'document',
      workerData,
      resourceLimits: resourceLimits(job),
      stdout: true,
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
    };
    const worker = startWorker(entryUrl, options);
    // Standard output belongs to the command's own answer (`--json`): what a plugin prints there is dropped.
    worker.stdout.resume();
    return worker;
  }
}

/** A thread of its own for what reads documents, from the source, the library or the bundle. */
export const startWorker = (entryUrl: URL, options: WorkerOptions): Worker =>
  entryUrl.pathname.endsWith('.ts') ? fromSource(entryUrl, options) : new Worker(entryUrl, options);

/**
 * TypeScript runs from the source in development only. `--import tsx` does not reach the entry of a worker thread
 * on Node 20, so a line of JavaScript installs it there first.
 */
function fromSource(entryUrl: URL, options: WorkerOptions): Worker {
  const tsx = import.meta.resolve('tsx/esm/api');
  const start = `import('${tsx}').then(({ register }) => { register(); return import('${entryUrl.href}'); });`;
  const execArgv = options.execArgv ?? ['--conditions=kongfallback-source'];
  return new Worker(start, { ...options, execArgv, eval: true });
}

/** A view of a larger buffer is copied: transferring would take the rest of that buffer away too. */
function transferable(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function rebuilt(error: {
  kind: FallbackError['kind'];
  code: string;
  message: string;
  hint: string | undefined;
}) {
  const { kind, code, message, hint } = error;
  return new FallbackError(kind, code, message, hint === undefined ? {} : { hint });
}

function deadlineExceeded(ms: number): FallbackError {
  return new FallbackError(
    'unavailable',
    'KF_WORKER_DEADLINE',
    `reading and validating the configuration took more than ${ms} ms`,
    {
      hint: 'A validator that does not end, or a machine without a free core: remove the validators one by one to find out which.',
    },
  );
}

function exited(code: number): FallbackError {
  return new FallbackError(
    'unavailable',
    'KF_WORKER_EXITED',
    `the worker that reads the configuration ended without an answer (exit code ${code})`,
    {
      hint: 'A validator called process.exit(), or the system killed the thread: remove the validators that are not built in to find out.',
    },
  );
}

function crashed(cause: unknown): FallbackError {
  if ((cause as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new FallbackError(
      'unsupported',
      'KF_WORKER_OUT_OF_MEMORY',
      'the configuration needs more memory to be read than its worker may use',
      {
        cause,
        hint: 'A parsed configuration takes two to three times its size: give the process more memory, or find the validator that keeps too much.',
      },
    );
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  return new FallbackError(
    'unavailable',
    'KF_WORKER_CRASHED',
    `the worker that reads the configuration crashed: ${message}`,
    {
      cause,
      hint: 'An error that no validator caught: remove the validators that are not built in to find out which one throws it.',
    },
  );
}
