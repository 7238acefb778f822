// A stand-in control plane as a process of its own, so that it can be killed like one:
//   tsx --conditions=kongfallback-source test/stand-in/control-plane-process.ts \
//     --certificate cluster.crt --key cluster.key --frame frame.json.gz [--document kong.json] [--port 8005]
// Prints {"port":N} when it listens, and then {"frame":"sent"} for each configuration sent; with --requests also
// {"request":"/v1/outlet?…","fingerprint":"…"} for each session asked for. A line on its standard
// input such as {"frame":"other.json.gz"} or {"document":"kong.json"} is a change of the configuration; the end of its
// standard input ends it.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startStandInControlPlane } from './control-plane.ts';
import { encodeFrame } from './frames.ts';

const { values } = parseArgs({
  options: {
    certificate: { type: 'string' },
    key: { type: 'string' },
    frame: { type: 'string' },
    document: { type: 'string' },
    port: { type: 'string', default: '0' },
    version: { type: 'string', default: '3.9.3' },
    requests: { type: 'boolean', default: false },
  },
});

const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

function frameOf(given: { frame?: string | undefined; document?: string | undefined }): Buffer {
  if (given.frame !== undefined) return readFileSync(given.frame);
  if (given.document === undefined) throw new Error('--frame or --document is needed');
  return encodeFrame(readFileSync(given.document), { timestamp: Date.now() / 1000 });
}

function file(name: 'certificate' | 'key'): string {
  const path = values[name];
  if (path === undefined) throw new Error(`--${name} is needed`);
  return readFileSync(path, 'utf8');
}

const controlPlane = await startStandInControlPlane({
  certificate: { certificate: file('certificate'), key: file('key') },
  frames: frameOf(values),
  port: Number(values.port),
  version: values.version,
});
controlPlane.on('frame-sent', () => say({ frame: 'sent' }));
controlPlane.on('request', () => {
  const { url, fingerprint } = controlPlane.requests.at(-1) ?? {};
  if (values.requests) say({ request: url, fingerprint });
});
say({ port: controlPlane.port });

createInterface({ input: process.stdin })
  .on('line', (line) => controlPlane.setFrame(frameOf(JSON.parse(line) as { frame?: string })))
  .on('close', () => void controlPlane.close());
