import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTls, type TLSSocket } from 'node:tls';
import type { CertificatePair } from '../../../stand-in/certificates.ts';

/** What a proxy saw, in this order. */
export interface Piece {
  readonly from: 'data-plane' | 'control-plane';
  readonly bytes: Buffer;
}

export interface Recording {
  /** Up to the moment when the control plane had the data plane's ping and had said nothing but its 101. */
  readonly before: readonly Piece[];
  readonly after: readonly Piece[];
}

export interface Conversation {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
  readonly server: CertificatePair;
  readonly client?: CertificatePair;
  readonly clientChain?: string;
  /** The data plane's first message, and its ping. */
  readonly says: readonly Buffer[];
  /** What the control plane says to that. */
  readonly answers: readonly Buffer[];
  /** The data plane asks only when the handshake and its tickets are through. */
  readonly asksLate?: boolean;
}

export const REQUEST = `GET /v1/outlet?node_id=6fd6ddab-d1f2-45d9-a2ef-d2b35e03a826&node_hostname=${'gateway-7c9f6d8b5-x2x9z.kong.svc'}&node_version=3.9.3 HTTP/1.1\r\nUpgrade: websocket\r\nHost: cp.internal:8005\r\nSec-WebSocket-Key: h8O90S/Rv3gv0obFQMsPEw==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n\r\n`;

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nDate: Sat, 21 Nov 2026 11:00:13 GMT\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k/44j656JkYraD9dJZ77WMj8DMo=\r\nServer: kong/3.9.3\r\nX-Kong-Admin-Latency: 12\r\nX-Something-That-A-Proxy-Added: 0123456789012345678901234567890123456789\r\n\r\n';

/** A frame as the data plane sends it (masked) or the control plane. */
export function frame(opcode: number, payload: Uint8Array, masked: boolean): Buffer {
  const { length } = payload;
  const mask = masked ? 0x80 : 0;
  const head =
    length < 126
      ? [0x80 | opcode, mask | length]
      : length < 65_536
        ? [0x80 | opcode, mask | 126, length >> 8, length & 255]
        : [
            0x80 | opcode,
            mask | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 255,
            (length >> 8) & 255,
            length & 255,
          ];
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0), payload]);
}

/** Has a real TLS client and server talk through a proxy that writes down what it passes on. */
export async function record(conversation: Conversation): Promise<Recording> {
  const { answers, asksLate = false, says, server, version } = conversation;
  const seen: Piece[] = [];
  const expected = says.reduce((sum, message) => sum + message.length, 0);
  const tls = createTls({
    cert: server.certificate,
    key: server.key,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
  });
  const proxy = createServer();
  tls.listen(0, '127.0.0.1');
  proxy.listen(0, '127.0.0.1');
  await Promise.all([once(tls, 'listening'), once(proxy, 'listening')]);
  const port = (listening: { address(): unknown }) => (listening.address() as { port: number }).port;
  proxy.on('connection', (down: Socket) => {
    const up = connect(port(tls), '127.0.0.1');
    down.on('data', (bytes: Buffer) => seen.push({ from: 'data-plane', bytes }));
    up.on('data', (bytes: Buffer) => seen.push({ from: 'control-plane', bytes }));
    for (const socket of [down, up]) socket.on('error', () => {});
    down.pipe(up).pipe(down);
  });
  const client = connectTls({
    port: port(proxy),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ...(conversation.ciphers !== undefined && { ciphers: conversation.ciphers }),
    ...(conversation.client !== undefined && {
      cert: conversation.client.certificate + (conversation.clientChain ?? ''),
      key: conversation.client.key,
    }),
  });
  const accepted = once(tls, 'secureConnection') as Promise<[TLSSocket]>;
  await once(client, 'secureConnect');
  const [controlPlane] = await accepted;
  if (asksLate) await turns();
  client.write(REQUEST);
  await bytesOf(controlPlane, REQUEST.length);
  controlPlane.write(SWITCHING);
  await bytesOf(client, SWITCHING.length);
  for (const message of says) client.write(message);
  await bytesOf(controlPlane, expected);
  const before = [...seen];
  for (const message of answers) {
    controlPlane.write(message);
    await bytesOf(client, message.length);
  }
  const after = seen.slice(before.length);
  client.destroy();
  controlPlane.destroy();
  tls.close();
  proxy.close();
  return { before, after };
}

async function bytesOf(socket: TLSSocket, count: number): Promise<void> {
  for (let got = 0; got < count; ) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) await once(socket, 'readable');
    else got += chunk.length;
  }
}

/** Some milliseconds of I/O: the tickets of TLS 1.3 are through. */
async function turns(): Promise<void> {
  for (let n = 0; n < 200; n++) await new Promise<void>((resolve) => setImmediate(resolve));
}
