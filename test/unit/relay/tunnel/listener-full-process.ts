// A listener in a process that runs out of file descriptors: prints each line of its log, and `served` for each
// connection that it answered.

import { Listener } from '../../../../src/relay/tunnel/listener.ts';
import { systemClock } from '../../../../src/resilience/index.ts';

const say = (fields: object) => process.stdout.write(`${JSON.stringify(fields)}\n`);
const listener = new Listener({
  listen: '127.0.0.1:0',
  setting: 'relay.listen',
  maxConnections: 1000,
  onConnection: (socket) => {
    socket.resume().on('end', () => socket.end('served'));
  },
  clock: systemClock,
  log: { debug: say, info: say, warn: say, error: say },
});
say({ address: await listener.start() });
process.stdin.resume().on('end', () => void listener.close());
