// Keys and bytes over HTTP: GET, PUT and DELETE of <url>/<key> with ETag, If-Match and If-None-Match, and
// GET <url>?prefix=… answering a JSON list of { key, size }.
const KINDS = { 401: 'denied', 403: 'denied', 412: 'conflict', 413: 'unsupported' };

function create({ url, token }, context) {
  const request = async (method, path, signal, { accept = [], headers = {}, body } = {}) => {
    const authorization = token ? { authorization: `Bearer ${token}` } : {};
    const sent = fetch(url + path, { method, headers: { ...authorization, ...headers }, body, signal });
    const answer = await sent.catch((cause) => {
      const hint = `Check that ${url} is right and reachable from here.`;
      throw context.error(signal.aborted ? 'aborted' : 'unavailable', 'no answer', { cause, hint });
    });
    if (answer.ok || accept.includes(answer.status)) return answer;
    const hint = `The log of ${url} says why.`;
    throw context.error(KINDS[answer.status] ?? 'unavailable', `answered ${answer.status}`, { hint });
  };
  return {
    async get(key, { ifNoneMatch, signal }) {
      const headers = ifNoneMatch ? { 'if-none-match': ifNoneMatch } : {};
      const answer = await request('GET', `/${key}`, signal, { accept: [304, 404], headers });
      if (!answer.ok) return answer.status === 304 ? 'not-modified' : undefined;
      return { etag: answer.headers.get('etag'), body: answer.body ?? [] };
    },
    async put(key, body, { ifMatch, ifAbsent, signal }) {
      const headers = { ...(ifMatch && { 'if-match': ifMatch }), ...(ifAbsent && { 'if-none-match': '*' }) };
      const answer = await request('PUT', `/${key}`, signal, { headers, body });
      return { etag: answer.headers.get('etag') };
    },
    async *list(prefix, { signal }) {
      yield* await (await request('GET', `?prefix=${prefix}`, signal)).json();
    },
    async delete(key, { signal }) {
      await request('DELETE', `/${key}`, signal, { accept: [404] });
    },
  };
}

const validate = ({ url, token, ...unknown }) => {
  const issues = Object.keys(unknown).map((key) => ({ path: [key], message: 'unknown setting' }));
  if (!URL.canParse(url)) issues.push({ path: ['url'], message: 'must be a URL' });
  return issues.length > 0 ? { issues } : { value: { url, token } };
};
const settings = { '~standard': { version: 1, vendor: 'kongfallback-storage-http', validate } };

export default { kind: 'storage', name: 'http', capabilities: { conditionalPut: true }, settings, create };
