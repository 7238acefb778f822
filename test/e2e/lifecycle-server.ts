import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Double } from '../s3/double.ts';

/** The double with one lifecycle rule for its bucket. */
export async function lifecycleServer(
  double: S3Double,
  rule: string,
): Promise<{ endpoint: string; close: () => void }> {
  const server = createServer((request, response) => {
    if (new URL(request.url ?? '/', 'http://here').searchParams.has('lifecycle')) {
      response
        .writeHead(200, { 'content-type': 'application/xml' })
        .end(
          '<?xml version="1.0"?><LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
            `<Rule><ID>tidy-up</ID><Status>Enabled</Status>${rule}</Rule></LifecycleConfiguration>`,
        );
      return;
    }
    const { headers, method, url } = request;
    const passed = ask(`${double.endpoint}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
