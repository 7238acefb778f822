// A model of a control plane that just started, as a process with workers of its own. The kernel gives each connection to
// any of them, as with SO_REUSEPORT. Says 'ready', is given a ControlPlaneTask, sends { port } when it listens, and answers
// 'usage' with a ControlPlaneUsage.
import { type ChildProcess, fork } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { ANSWER_MS, DATA_PLANE_MB, EXPORT_MB, EXPORT_MS, WORKER_MB } from './model-control-plane-costs.ts';
import { runWorker, type WorkerTask, type WorkerUsage } from './model-control-plane-worker.ts';
import { randomAt } from './random.ts';

export interface ControlPlaneTask extends WorkerTask {
  readonly workers: number;
  readonly port: number;
  readonly seed: number;
}

/** Since the start, by the costs of model-control-plane-costs.ts. */
export interface ControlPlaneUsage {
  readonly exports: number;
  readonly answers: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

class Worker {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  usage: WorkerUsage = { exports: 0, exporting: 0, answers: 0 };

  constructor(task: WorkerTask, onUsage: () => void) {
    this.child = fork(process.argv[1] ?? '', ['worker']);
    this.ready = new Promise((resolve) => {
      this.child.on('message', (said: WorkerUsage | 'ready') => {
        if (said === 'ready') return void this.child.send(task);
        this.usage = said;
        resolve();
        onUsage();
      });
    });
  }
}

async function runControlPlane({ port, seed, workers: count, ...task }: ControlPlaneTask): Promise<void> {
  let peakMb = 0;
  const sum = (of: (usage: WorkerUsage) => number) => workers.reduce((all, { usage }) => all + of(usage), 0);
  const workers: readonly Worker[] = Array.from(
    { length: count },
    () =>
      new Worker(task, () => {
        const held = sum(({ exporting }) => exporting) * EXPORT_MB;
        peakMb = Math.max(peakMb, count * WORKER_MB + sum(({ answers }) => answers) * DATA_PLANE_MB + held);
      }),
  );
  await Promise.all(workers.map(({ ready }) => ready));
  const next = randomAt(seed, 0);
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    workers[next() % count]?.child.send('connection', socket);
  });
  server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
  process.on('message', (ask) => {
    if (ask !== 'usage') return;
    const [exports, answers] = [sum((usage) => usage.exports), sum((usage) => usage.answers)];
    const cpuSeconds = (exports * EXPORT_MS + answers * ANSWER_MS) / 1000;
    process.send?.({ exports, answers, cpuSeconds, peakMb } satisfies ControlPlaneUsage);
  });
  process.once('disconnect', () => process.exit());
}

process.once('message', (task) => {
  if (process.argv[2] === 'worker') runWorker(task as WorkerTask);
  else void runControlPlane(task as ControlPlaneTask);
});
// A message that comes while modules are still loaded would be lost.
process.send?.('ready');
