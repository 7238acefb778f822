// A server of one kind for relay-fan-out.ts, as a process of its own, so that its CPU and memory can be told apart.
// Asked over IPC: { connected: n } waits for n sessions, 'send' sends the frame to all, 'idle' collects garbage and
// reports memory, 'usage' reports since 'send'.
import { randomBytes } from 'node:crypto';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net';
import { createSecureContext, createServer as createTls, type TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { Findings, silentLogger } from '../../../src/observe/index.ts';
import type { Provision } from '../../../src/relay/provision.ts';
import { StandIn } from '../../../src/relay/stand-in/stand-in.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import { preparedFrame } from '../../stand-in/data-plane-frame.ts';
import { CURRENT_HASH, type ServerTask } from './relay-fan-out-tasks.ts';

const NEXT_HASH = 'd'.repeat(32);

interface Running {
  connected(): number;
  send(): void;
}

let bytesWritten = 0;
const sockets = new Set<Socket>();

process.once('message', (task: ServerTask) => {
  const payload =
    typeof task.payload === 'string' ? Buffer.from(task.payload, 'base64') : randomBytes(task.payload);
  const server = createTcp({ pauseOnConnect: true, noDelay: true });
  const running = start(task, payload, (listener) => server.on('connection', listener));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      bytesWritten += socket.bytesWritten;
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
  let cpu = process.cpuUsage();
  process.on('message', (ask: { connected: number } | 'send' | 'idle' | 'usage') => {
    if (ask === 'send') {
      cpu = process.cpuUsage();
      running.send();
    } else if (ask === 'idle') {
      globalThis.gc?.();
      process.send?.({ rssMb: process.memoryUsage.rss() / 1e6 });
    } else if (ask === 'usage') {
      const { user, system } = process.cpuUsage(cpu);
      const written = [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, bytesWritten);
      process.send?.({
        cpuSeconds: (user + system) / 1e6,
        rssMb: process.memoryUsage.rss() / 1e6,
        peakMb: process.resourceUsage().maxRSS / 1e3,
        bytes: written,
      });
    } else {
      const look = () => {
        if (running.connected() >= ask.connected) process.send?.({ connected: running.connected() });
        else setTimeout(look, 10);
      };
      look();
    }
  });
});

process.once('disconnect', () => process.exit());

type OnConnection = (listener: (socket: Socket) => void) => unknown;

function start(task: ServerTask, payload: Buffer, onConnection: OnConnection): Running {
  if (task.kind === 'stand-in') return startStandIn(task, payload, onConnection);
  return task.kind === 'ws' ? startWs(task, payload, onConnection) : startRaw(task, payload, onConnection);
}

function startStandIn(task: ServerTask, payload: Buffer, onConnection: OnConnection): Running {
  const frame = preparedFrame(payload);
  const provisionOf = (configHash: string, older: string[]): Provision => ({
    gatewayVersion: '3.9.3',
    configHash,
    olderHashes: new Set(older),
    plugins: ['key-auth'],
    sequence: 1,
    origin: 'storage',
    frame,
  });
  let provision = provisionOf(CURRENT_HASH, []);
  const secureContext = createSecureContext({ cert: task.certificate, key: task.key, minVersion: 'TLSv1.2' });
  const standIn = new StandIn({
    identity: () => ({ secureContext, check: () => undefined }),
    provision: () => provision,
    versions: () => ['3.9.3'],
    clock: systemClock,
    log: silentLogger,
    findings: new Findings(systemClock, silentLogger),
  });
  onConnection((socket) => standIn.accept(socket));
  return {
    connected: () => standIn.state().served,
    send: () => {
      provision = provisionOf(NEXT_HASH, [CURRENT_HASH]);
      standIn.push('3.9.3');
    },
  };
}

/** `ws.send()` of the same message to each. */
function startWs(task: ServerTask, payload: Buffer, onConnection: OnConnection): Running {
  const https = createHttps({
    cert: task.certificate,
    key: task.key,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const open = new Set<WebSocket>();
  https.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (websocket) => {
      open.add(websocket);
      websocket.on('message', () => {}).on('error', () => {});
    });
  });
  onConnection((socket) => https.emit('connection', socket));
  return {
    connected: () => open.size,
    send: () => {
      for (const websocket of open) websocket.send(payload, { binary: true });
    },
  };
}

/** The least that can be done: the bytes of the frame into TLS, 256 KiB at a time. */
function startRaw(task: ServerTask, payload: Buffer, onConnection: OnConnection): Running {
  const { pieces } = preparedFrame(payload);
  const tls = createTls({
    cert: task.certificate,
    key: task.key,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const open = new Set<TLSSocket>();
  tls.on('secureConnection', (socket) => {
    socket.on('data', () => open.add(socket)).on('error', () => {});
  });
  onConnection((socket) => tls.emit('connection', socket));
  return {
    connected: () => open.size,
    send: () => {
      for (const socket of open) {
        let next = 0;
        const write = (): void => {
          const piece = pieces[next++];
          if (piece !== undefined) socket.write(piece, write);
        };
        write();
      }
    },
  };
}
