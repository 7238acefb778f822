import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PassThrough } from '../../../../src/relay/tunnel/pass-through.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

let logged: Record<string, unknown>[];
const opened: (PassThrough | Server | Socket)[] = [];

beforeEach(() => {
  logged = [];
});

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) {
    if (one instanceof PassThrough) await one.close();
    else if ('listening' in one) one.close();
    else one.destroy();
  }
});

const write = (line: object) => logged.push(line as Record<string, unknown>);
const log = { debug: write, info: write, warn: write, error: write };

/** Answers each connection with what it got, once that is complete. */
async function echo(port = 0): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    opened.push(socket.on('error', () => {}));
    socket.pipe(socket);
  });
  opened.push(server.listen(port, '127.0.0.1'));
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function passThrough(to: string): Promise<{ address: string; made: PassThrough }> {
  const made = new PassThrough({ listen: '127.0.0.1:0', to, maxConnections: 10, clock: systemClock, log });
  opened.push(made);
  return { address: await made.start(), made };
}

async function ask(address: string, question: string): Promise<string> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  opened.push(socket.on('error', () => {}));
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.end(question);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return answer;
}

const events = () => logged.map(({ event }) => event);

describe('nothing there to pass on to', () => {
  it('the connection is closed; one line when it begins, and one when it is over', async () => {
    const to = await echo();
    const server = opened.pop() as Server;
    await new Promise((resolve) => server.close(resolve));
    const { address } = await passThrough(to);
    expect([await ask(address, 'a'), await ask(address, 'b')]).toEqual(['', '']);
    expect(logged.slice(1)).toMatchObject([
      { event: 'relay.pass-through-down', to, code: 'KF_CP_REFUSED_CONNECTION' },
    ]);
    await echo(Number(to.split(':').at(-1)));
    expect([await ask(address, 'c'), await ask(address, 'd')]).toEqual(['c', 'd']);
    expect(events().slice(2)).toEqual(['relay.pass-through-up']);
  });

  it('what is no address', async () => {
    const error = await errorOf(() => passThrough('nowhere'));
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_CP_ADDRESS_INVALID' });
  });

  it('a port in use, by the setting', async () => {
    const listen = await echo();
    const made = new PassThrough({ listen, to: listen, maxConnections: 1, clock: systemClock, log });
    const error = await errorOf(() => made.start());
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_RELAY_LISTEN' });
    expect(error.message).toContain('relay.listeners');
  });
});

it('passes on, and closes what is open when it is closed', async () => {
  const { address, made } = await passThrough(await echo());
  expect(await ask(address, 'question')).toBe('question');
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  opened.push(socket.on('error', () => {}));
  socket.write('still here');
  await once(socket, 'data');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await made.close();
  await closed;
  expect(events()).toEqual(['relay.passing-through']);
});
