// The smallest server that this storage can use: objects in memory, conditions kept.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

export async function startServer({ token, port = 0 }) {
  const objects = new Map();
  const server = createServer(async (request, response) => {
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return;
    const { pathname, searchParams } = new URL(request.url, 'http://server');
    const answer = (status, body, headers = {}) => response.writeHead(status, headers).end(body);
    const key = decodeURIComponent(pathname.slice(1));
    const current = objects.get(key);
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401);
    if (request.method === 'GET' && key === '') return answer(200, listed(searchParams.get('prefix')));
    if (request.method === 'DELETE') return answer(objects.delete(key) ? 204 : 404);
    if (request.method === 'GET') {
      if (current === undefined) return answer(404);
      const same = ifNoneMatch === current.etag;
      return answer(same ? 304 : 200, same ? undefined : current.body, { etag: current.etag });
    }
    if (ifMatch !== undefined && ifMatch !== current?.etag) return answer(412);
    if (ifNoneMatch === '*' && current !== undefined) return answer(412);
    const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
    objects.set(key, { body, etag });
    return answer(200, undefined, { etag });
  });
  const listed = (prefix) => {
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    return JSON.stringify(keys.map((key) => ({ key, size: objects.get(key).body.length })));
  };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}
