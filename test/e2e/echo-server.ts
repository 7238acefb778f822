// A server that says back what it was told: in the status line, in headers, in XML and in JSON, as broken gateways do.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EchoServer {
  readonly url: string;
  readonly asked: () => number;
  close(): Promise<void>;
}

/** @param more what else it knows and says, such as a document's secrets */
export async function startEchoServer(status: number, more: readonly string[] = []): Promise<EchoServer> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const told = `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${Buffer.concat(pieces)} ${more.join(' ')}`;
      const xml = told.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      const [token] = Object.values(request.headers).filter((value) => /p1ant/.test(String(value)));
      const ascii = told.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 4000);
      response.writeHead(status, ascii, { 'x-echo': ascii, 'content-type': 'application/xml' });
      response.end(
        request.headers['content-type'] === 'application/json'
          ? JSON.stringify({
              message: told,
              errors: [told, ...more],
              flattened_errors: [{ errors: [{ message: told }] }],
            })
          : `<?xml version="1.0"?><Error><Code>${token ?? xml}</Code><Message>${xml}</Message><Resource>${xml}</Resource></Error>`,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
