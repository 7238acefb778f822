// Data planes for relay-fan-out.ts that do as little as possible: dial, ask, say what they are, ping, count bytes.
// Started with a ReaderTask; sends { doneMs } when each has got the whole frame.
import { connect, type TLSSocket } from 'node:tls';
import type { ReaderTask } from './relay-fan-out-tasks.ts';

const REDIAL_MS = 500;

process.once('message', (task: ReaderTask) => {
  const began = performance.now();
  let done = 0;
  const dial = (n: number): void => {
    let bytes = 0;
    const socket = connect({
      port: task.port,
      host: '127.0.0.1',
      servername: 'kong_clustering',
      cert: task.certificate,
      key: task.key,
      rejectUnauthorized: false,
    });
    socket.on('error', () => {});
    // A real one waits for 5 to 10 s; on a machine that is busy with something else some have to.
    socket.once('close', () => {
      if (bytes < task.frameBytes) setTimeout(dial, REDIAL_MS, n);
    });
    socket.once('secureConnect', () => socket.write(introduction(task, n)));
    socket.on('data', (data) => {
      const before = bytes;
      bytes += data.length;
      if (task.stall === true) stallAfterPong(socket, data);
      if (before < task.frameBytes && bytes >= task.frameBytes && ++done === task.count) {
        process.send?.({ doneMs: performance.now() - began });
      }
    });
  };
  for (let n = 0; n < task.count; n++) dial(n);
});

process.once('disconnect', () => process.exit());

function stallAfterPong(socket: TLSSocket, data: Buffer): void {
  if (data.includes(Buffer.from([0x8a, 0]))) socket.pause();
}

function introduction(task: ReaderTask, n: number): Buffer {
  const request = [
    `GET /v1/outlet?node_id=node-${process.pid}-${n}&node_hostname=dp&node_version=3.9.3 HTTP/1.1`,
    'Upgrade: websocket',
    `Host: 127.0.0.1:${task.port}`,
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Connection: Upgrade',
    '\r\n',
  ].join('\r\n');
  const plugins = Array.from({ length: 45 }, (_, i) => ({ name: i === 0 ? 'key-auth' : `plugin-${i}` }));
  const info = Buffer.from(
    JSON.stringify({ type: 'basic_info', plugins, process_conf: { filler: 'x'.repeat(12_000) } }),
  );
  return Buffer.concat([Buffer.from(request), masked(0x2, info), masked(0x9, Buffer.from(task.hash))]);
}

/** With a mask of zeros, which changes nothing. */
function masked(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
