// A proxy as a process of its own: `relay-tunnel-proxy.ts tunnel|pipe <port>` listens on a free port and passes bytes on
// to that one. Prints its port, and, for each line on its standard input, the CPU microseconds it has used so far.
import { createConnection, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parseAddress } from '../../../src/kong/index.ts';
import { Listener } from '../../../src/relay/tunnel/listener.ts';
import { Tunnel } from '../../../src/relay/tunnel/tunnel.ts';
import { openUpstream } from '../../../src/relay/tunnel/upstream.ts';
import { systemClock } from '../../../src/resilience/index.ts';

const [kind, to = ''] = process.argv.slice(2);
const say = (value: number) => process.stdout.write(`${value}\n`);
const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function tunnel(socket: Socket): Promise<void> {
  const { signal } = new AbortController();
  const addresses = [parseAddress(`127.0.0.1:${to}`)];
  const upstream = await openUpstream(addresses, { connectMs: 3000, clock: systemClock, signal });
  new Tunnel(socket, upstream.socket, { clock: systemClock });
}

if (kind === 'tunnel') {
  const listener = new Listener({
    listen: '127.0.0.1:0',
    setting: 'relay.listen',
    maxConnections: 100,
    onConnection: (socket) => void tunnel(socket),
    clock: systemClock,
    log: silent,
  });
  say(Number((await listener.start()).split(':').at(-1)));
} else {
  const server = createServer((down) => {
    const up = createConnection(Number(to), '127.0.0.1');
    for (const socket of [down, up]) socket.on('error', () => {});
    down.pipe(up).pipe(down);
  });
  server.listen(0, '127.0.0.1', () => say((server.address() as { port: number }).port));
}

createInterface({ input: process.stdin }).on('line', () => {
  const { system, user } = process.cpuUsage();
  say(user + system);
});
