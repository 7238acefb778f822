import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** An HTTP status, or what happens instead of one. */
export type Answer = number | 'nothing' | 'drop' | 'raw';

/** Answers a request for a session; true when it is to become a WebSocket. */
export function answerUpgrade(
  answer: Answer,
  socket: TLSSocket,
  rawReplay: Buffer | undefined,
  request: IncomingMessage,
): boolean {
  if (answer === 101) return true;
  if (answer === 'drop') socket.destroy();
  else if (answer === 'raw') socket.write(acceptedFor(request, rawReplay ?? Buffer.alloc(0)));
  else if (answer !== 'nothing') socket.end(nginxPage(answer));
  return false;
}

export function refuseHttp(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close' }).end(body(status));
}

/** Recorded bytes, of which only the answer to the client's random key has to differ. */
function acceptedFor(request: IncomingMessage, recorded: Buffer): Buffer {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const end = recorded.indexOf('\r\n\r\n');
  const head = recorded
    .toString('latin1', 0, end)
    .replace(/(sec-websocket-accept:\s*)\S+/i, (_, name: string) => name + accept);
  return Buffer.concat([Buffer.from(head, 'latin1'), recorded.subarray(end)]);
}

function nginxPage(status: number): string {
  const page = body(status);
  return `HTTP/1.1 ${status} X\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`;
}

function body(status: number): string {
  return `<html>\n<head><title>${status}</title></head>\n<body></body>\n</html>\n`;
}
