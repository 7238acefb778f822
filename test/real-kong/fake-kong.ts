// A `kong` for the test of these tests: takes the same commands and settings, and does what the scenarios can see of a
// real one. The first argument is its folder, where it keeps its database, and writes down how it was called.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { LivingDataPlane } from '../e2e/relay-data-plane.ts';
import { startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame } from '../stand-in/frames.ts';

const [home = '', ...args] = process.argv.slice(2);
const { env } = process;
const database = join(home, 'database');
const prefix = env['KONG_PREFIX'] ?? '';
const pidFile = join(prefix, 'pids/nginx.pid');
const wait = () => new Promise((resolve) => setTimeout(resolve, 20));

if (args[0] !== 'serve') {
  const settings = Object.entries(env).filter(([name]) => name.startsWith('KONG_'));
  appendFileSync(
    join(home, 'calls'),
    `${JSON.stringify({ args, settings: Object.fromEntries(settings) })}\n`,
  );
}

const COMMANDS: Readonly<Record<string, () => Promise<number> | number>> = {
  version: () => say('3.9.3', 0),
  'migrations list': () => (existsSync(database) ? 0 : 3),
  'migrations bootstrap': () => {
    copyFileSync(join(home, 'document.json'), database);
    return 0;
  },
  'migrations reset': () => {
    rmSync(database);
    return 0;
  },
  start,
  stop,
  serve: () => (env['KONG_ROLE'] === 'control_plane' ? controlPlane() : dataPlane()),
};
const command = COMMANDS[args.slice(0, 2).join(' ')] ?? COMMANDS[args[0] ?? ''];
process.exitCode = command === undefined ? say(`no command ${args.join(' ')}`, 1) : await command();

function say(text: string, code: number): number {
  console.log(text);
  return code;
}

/** Ends when the node listens, and leaves it in the background. */
async function start(): Promise<number> {
  const declared = env['KONG_DECLARATIVE_CONFIG'];
  if (declared !== undefined && !existsSync(declared)) return say(`Error: ${declared} does not exist`, 1);
  if (existsSync(pidFile)) rmSync(pidFile);
  for (const folder of ['pids', 'logs', 'dbless.lmdb']) mkdirSync(join(prefix, folder), { recursive: true });
  const log = openSync(join(prefix, 'logs/error.log'), 'a');
  const [, program = ''] = process.argv;
  const child = spawn(process.execPath, [program, home, 'serve'], {
    detached: true,
    stdio: ['ignore', log, log],
    env,
  });
  while (!existsSync(pidFile)) {
    if (child.exitCode !== null) return say('Error: the node did not start', 1);
    await wait();
  }
  child.unref();
  return say('Kong started', 0);
}

async function stop(): Promise<number> {
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
  while (existsSync(pidFile)) await wait();
  return say('Kong stopped', 0);
}

function port(name: string): number {
  return Number(env[name]?.split(':').at(-1));
}

function certificate(): { certificate: string; key: string } {
  const [crt = '', key = ''] = ['KONG_CLUSTER_CERT', 'KONG_CLUSTER_CERT_KEY'].map((name) =>
    readFileSync(env[name] ?? '', 'utf8'),
  );
  return { certificate: crt, key };
}

async function serveHttp(
  at: number,
  answer: (request: IncomingMessage) => Promise<readonly [number, unknown]>,
): Promise<void> {
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const [status, body] = await answer(request);
    response.writeHead(status).end(body === undefined ? '' : JSON.stringify(body));
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
}

function started(): number {
  writeFileSync(pidFile, `${process.pid}\n`);
  process.on('SIGTERM', () => {
    rmSync(pidFile);
    process.exit(0);
  });
  return 0;
}

async function controlPlane(): Promise<number> {
  const frame = () => encodeFrame(readFileSync(database), { timestamp: Date.now() / 1000 });
  const stood = await startStandInControlPlane({
    certificate: certificate(),
    frames: frame(),
    port: port('KONG_CLUSTER_LISTEN'),
  });
  await serveHttp(port('KONG_ADMIN_LISTEN'), async (request) => {
    const { method, url = '' } = request;
    const body = method === 'GET' || method === 'DELETE' ? {} : ((await json(request)) as object);
    if (url === '/clustering/data-planes') {
      const ids = stood.requests.map((asked) => new URL(asked.url, 'http://cp').searchParams.get('node_id'));
      const [last_seen, config_hash] = [Date.now() / 1000, 'c'.repeat(32)];
      return [
        200,
        { data: [...new Set(ids)].map((id) => ({ id, last_seen, config_hash, sync_status: 'normal' })) },
      ];
    }
    if (url.startsWith('/plugins') && method === 'POST') stood.behaviour = 'silent';
    if (method === 'DELETE') stood.behaviour = 'normal';
    if (method === 'DELETE' || method === 'PATCH') {
      const table = { ...(JSON.parse(readFileSync(database, 'utf8')) as object), ...body };
      writeFileSync(database, JSON.stringify(table));
      stood.setFrame(frame());
    }
    return method === 'DELETE' ? [204, undefined] : [200, { id: 'of-the-entity', ...body }];
  });
  return started();
}

async function dataPlane(): Promise<number> {
  const kept = join(prefix, 'hash-of-the-fake');
  const lmdb = join(prefix, env['KONG_LMDB_ENVIRONMENT_PATH'] ?? 'dbless.lmdb', 'data.mdb');
  const declared = env['KONG_DECLARATIVE_CONFIG'];
  const runs = (hash: string) => {
    writeFileSync(kept, hash);
    copyFileSync(join(home, 'warm.mdb'), lmdb);
  };
  if (declared !== undefined) runs(createHash('md5').update(readFileSync(declared)).digest('hex'));
  if (!existsSync(lmdb)) copyFileSync(join(home, 'cold.mdb'), lmdb);
  const hash = () => (existsSync(kept) ? readFileSync(kept, 'utf8') : '0'.repeat(32));
  const living = new LivingDataPlane(() => ({
    port: port('KONG_CLUSTER_CONTROL_PLANE'),
    certificate: certificate(),
  }));
  living.on('changed', () => living.runs && runs(living.hash));
  writeFileSync(join(prefix, 'kong.id'), living.nodeId);
  await serveHttp(port('KONG_PROXY_LISTEN'), async ({ headers }) => {
    if (!existsSync(kept)) return [404, { message: 'no Route matched with those values' }];
    return headers['apikey'] === undefined ? [401, { message: 'No API key found in request' }] : [200, {}];
  });
  await serveHttp(port('KONG_STATUS_LISTEN'), async () => [200, { configuration_hash: hash() }]);
  return started();
}
