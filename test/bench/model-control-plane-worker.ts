// One worker of the model of a control plane: does one thing at a time, and exports its database once more for each data
// plane that comes before its first export is done. What takes time here blocks the process and burns nothing, so that
// the rest of the machine neither lengthens it nor pays for it.
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../src/resilience/index.ts';
import { serveDataPlane } from '../stand-in/stand-in-session.ts';
import { ANSWER_MS, EXPORT_MS, EXPORT_PIECES } from './model-control-plane-costs.ts';

export interface WorkerTask {
  readonly certificate: string;
  readonly key: string;
  /** base64 */
  readonly frame: string;
}

/** Since the start. */
export interface WorkerUsage {
  readonly exports: number;
  readonly exporting: number;
  readonly answers: number;
}

interface Export {
  readonly websocket: WebSocket;
  pieces: number;
}

export function runWorker({ certificate, frame, key }: WorkerTask): void {
  const payload = Buffer.from(frame, 'base64');
  let exporting: Export[] = [];
  let [exports, answers, hasTable, turning] = [0, 0, false, false];
  const report = () =>
    process.send?.({ exports, exporting: exporting.length, answers } satisfies WorkerUsage);

  const answer = (websocket: WebSocket) => {
    block(ANSWER_MS);
    answers++;
    websocket.send(payload, { binary: true });
    report();
  };
  const turn = () => {
    block((exporting.length * EXPORT_MS) / EXPORT_PIECES);
    for (const one of exporting) one.pieces++;
    const done = exporting.filter(({ pieces }) => pieces >= EXPORT_PIECES);
    exporting = exporting.filter(({ pieces }) => pieces < EXPORT_PIECES);
    if (done.length > 0) hasTable = true;
    for (const { websocket } of done) answer(websocket);
    turning = exporting.length > 0;
    if (turning) setImmediate(turn);
  };
  const configure = (websocket: WebSocket) => {
    if (hasTable) return answer(websocket);
    exporting.push({ websocket, pieces: 0 });
    exports++;
    report();
    if (turning) return;
    turning = true;
    setImmediate(turn);
  };

  const https = createServer({ cert: certificate, key, requestCert: true, rejectUnauthorized: false });
  const outlets = new WebSocketServer({ noServer: true, perMessageDeflate: false, autoPong: false });
  outlets.on('headers', (headers) => headers.push(`Date: ${new Date().toUTCString()}`));
  https.on('tlsClientError', () => {});
  https.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    outlets.handleUpgrade(request, socket, head, (websocket) =>
      serveDataPlane(websocket, {
        clock: systemClock,
        behaviour: () => 'normal',
        onBasicInfo: () => {},
        onPing: () => {},
        onIntroduced: () => configure(websocket),
        onClosed: () => {},
      }),
    );
  });
  process.on('message', (_message, socket: Socket | undefined) => {
    socket?.on('error', () => {});
    if (socket !== undefined) https.emit('connection', socket);
  });
  process.once('disconnect', () => process.exit());
  report();
}

const cell = new Int32Array(new SharedArrayBuffer(4));
let owedMs = 0;

/** What one sleep is too long, the next is shorter. */
function block(ms: number): void {
  owedMs += ms;
  if (owedMs < 0.2) return;
  const startedAt = performance.now();
  Atomics.wait(cell, 0, 0, owedMs);
  owedMs -= performance.now() - startedAt;
}
