// An exporter and a bootstrap inside another program: no signal handlers, no global state.
import { createBootstrap, createExporter, loadSettings } from 'kongfallback';

const stop = new AbortController();

/** A source of its own: here a fixed configuration; in a real program whatever holds it. */
const document = JSON.stringify({
  _format_version: '3.0',
  _transform: false,
  workspaces: [{ id: '0dc6f45b-8f8d-40d2-a504-473544ee190b', name: 'default' }],
  services: [{ id: 'd2f0f1f3-6a0e-4d4b-9c2a-2f9d3b8f1c11', name: 'orders', host: 'orders.internal' }],
});
const source = {
  open: async () => ({
    configurations: (async function* () {
      const bytes = new TextEncoder().encode(document);
      const receivedAt = performance.now();
      yield { form: 'document', bytes, ordinal: 1, peerTime: undefined, receivedAt, fromControlPlane: false };
    })(),
    close: async () => {},
  }),
};

/** A target of its own: it gets the document as a stream, verified when the stream ends. */
const applied = [];
const target = {
  apply: async ({ body }) => {
    const pieces = [];
    for await (const piece of body) pieces.push(piece);
    applied.push(Buffer.concat(pieces).toString());
    return { where: 'memory' };
  },
};

const exporter = createExporter(await loadSettings({ role: 'exporter' }), { parts: { source } });
const [line] = await exporter.once({ signal: stop.signal });
console.log('exported:', line.outcome?.outcome ?? line.error);
await exporter.close();

const bootstrap = createBootstrap(await loadSettings({ role: 'node' }), { parts: { target } });
const outcome = await bootstrap.once({ signal: stop.signal });
console.log('origin:', outcome.origin, 'same bytes:', applied[0] === document);
await bootstrap.close();
