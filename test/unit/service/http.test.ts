import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/observe/metrics.ts';
import type { ServiceState } from '../../../src/observe/metrics-state.ts';
import { type HttpOptions, type HttpService, startHttp } from '../../../src/service/http.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { errorOf } from '../snapshot/sample-head.ts';
import { NOW, sampleState } from './sample-state.ts';

const started: HttpService[] = [];
let logged: Record<string, unknown>[] = [];

afterEach(async () => {
  logged = [];
  for (const service of started.splice(0)) await service.close();
});

async function start(
  state: () => ServiceState | readonly ServiceState[] = () => sampleState(),
  changes: Partial<HttpOptions> = {},
): Promise<string> {
  const write = (line: Record<string, unknown>) => logged.push(line);
  const service = await startHttp({
    listen: '127.0.0.1:0',
    states: () => [state()].flat(),
    metrics: await createMetrics('1.2.3'),
    version: '1.2.3',
    redact: (text) => text,
    clock: new FakeClock({ now: NOW }),
    log: { debug: write, info: write, warn: write, error: write } as HttpOptions['log'],
    ...changes,
  });
  started.push(service);
  return service.address;
}

const get = (address: string, path: string, method = 'GET') => fetch(`http://${address}${path}`, { method });

/** What is answered to bytes that no client library would send. */
async function raw(address: string, text: string): Promise<string> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => {});
  socket.end(text);
  await once(socket, 'close');
  return answer;
}

describe('refused at the start', () => {
  it('a port in use, naming it and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const error = await errorOf(() => start(undefined, { listen: `127.0.0.1:${port}` }));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_SERVICE_LISTEN' });
    expect(error.message).toContain(`127.0.0.1:${port} is in use`);
    expect(error.hint).toContain('service.listen');
    other.close();
  });

  it('an address that this machine does not have', async () => {
    const error = await errorOf(() => start(undefined, { listen: '192.0.2.1:0' }));
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_SERVICE_LISTEN' });
  });
});

describe('refused requests', () => {
  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s', async (method) => {
    const answer = await get(await start(), '/metrics', method);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('a body is not read, and nothing is answered after it', async () => {
    const address = await start();
    const answer = await raw(
      address,
      'POST /health HTTP/1.1\r\nhost: a\r\ncontent-length: 40\r\n\r\nGET /health HTTP/1.1\r\nhost: a\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(answer).toContain('405');
  });

  it.each(['/', '/healthz', '/health/', '/../etc/passwd', '/%2e%2e/', '/status/x'])(
    'the path %s',
    async (path) => {
      const answer = await raw(await start(), `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 404/);
    },
  );

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['headers above 8 KiB', `GET /health HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(9000)}\r\n\r\n`],
    ['a target above 8 KiB', `GET /${'y'.repeat(9000)} HTTP/1.1\r\nhost: a\r\n\r\n`],
  ])('%s: the connection is cut', async (_what, text) => {
    expect(await raw(await start(), text)).not.toContain('200 OK');
  });

  it('a state that cannot be told: 500, and why in the log only', async () => {
    const address = await start(() => {
      throw new Error('secret inside');
    });
    const answer = await get(address, '/status');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret inside');
    expect(logged).toContainEqual({ event: 'service.answer-failed', url: '/status' });
    expect((await get(address, '/health/live')).status).toBe(200);
  });
});

describe('ready', () => {
  it('never with nothing to serve', async () => {
    const answer = await get(
      await start(() => sampleState({ notReady: 'nothing was published yet' })),
      '/health/ready',
    );
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ ready: false, reason: 'nothing was published yet' });
  });

  it('also while degraded: there is something to serve', async () => {
    expect((await get(await start(), '/health/ready')).status).toBe(200);
  });
});

describe('health', () => {
  const finding = { code: 'x', about: 'y', message: 'z' } as const;
  it.each([
    [
      'failed',
      503,
      [
        { ...finding, severity: 'critical' as const },
        { ...finding, severity: 'warning' as const },
      ],
    ],
    ['degraded', 200, [{ ...finding, severity: 'warning' as const }]],
    ['ok', 200, []],
  ])('%s is %i', async (status, code, findings) => {
    const answer = await get(await start(() => sampleState({ findings })), '/health?verbose=1');
    expect(answer.status).toBe(code);
    expect(await answer.json()).toEqual({ status, findings });
  });
});

describe('several roles in one process', () => {
  const node = (changes: Partial<ServiceState> = {}): ServiceState => ({
    ...sampleState({ lines: [], drills: [], findings: [] }),
    role: 'node',
    ...changes,
  });

  it('are ready when all are, and each that is not says why', async () => {
    const half = await get(
      await start(() => [sampleState(), node({ notReady: 'no configuration' })]),
      '/health/ready',
    );
    expect(half.status).toBe(503);
    expect(await half.json()).toEqual({ ready: false, reason: 'node: no configuration' });
    expect((await get(await start(() => [sampleState(), node()]), '/health/ready')).status).toBe(200);
  });

  it('are as healthy as the worst; what two of them noticed stands once, as the worse of both', async () => {
    const seen = { code: 'head-missing', about: '3.9.3 dr', message: 'no head' };
    const states = [
      sampleState({ findings: [{ ...seen, severity: 'warning' }] }),
      node({ findings: [{ ...seen, severity: 'critical' }] }),
    ];
    const answer = await get(await start(() => states), '/health');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      status: 'failed',
      findings: [{ ...seen, severity: 'critical' }],
    });
    const metrics = await (await get(await start(() => states), '/metrics')).text();
    expect(metrics).not.toMatch(/standing_findings\{.*severity="warning"/);
    expect(metrics).toMatch(/standing_findings\{.*severity="critical"\} 1/);
  });

  it('are each told at /status', async () => {
    const answer = await get(await start(() => [sampleState(), node()]), '/status');
    expect(await answer.json()).toMatchObject({
      status: 'degraded',
      version: '1.2.3',
      roles: [
        { role: 'exporter', status: 'degraded', lines: [{ gatewayVersion: '3.9.3' }] },
        { role: 'node', status: 'ok' },
      ],
    });
  });
});

it('blanks secrets in every answer', async () => {
  const findings = [{ code: 'x', about: 'y', severity: 'warning' as const, message: 'the key hunter2' }];
  const address = await start(() => sampleState({ findings, cluster: 'hunter2' }), {
    redact: (text) => text.replaceAll('hunter2', '***'),
  });
  for (const path of ['/status', '/health', '/metrics']) {
    const text = await (await get(address, path)).text();
    expect(text).not.toContain('hunter2');
    expect(text.length).toBeGreaterThan(10);
  }
});

it('tells everything at /status', async () => {
  const answer = await get(await start(), '/status');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.json()).toMatchObject({
    status: 'degraded',
    version: '1.2.3',
    role: 'exporter',
    lines: [{ gatewayVersion: '3.9.3', heads: [{ store: 's3' }, { store: 'dr', state: 'missing' }] }],
  });
});

it('answers HEAD without a body', async () => {
  const answer = await get(await start(), '/metrics', 'HEAD');
  expect([answer.status, await answer.text()]).toEqual([200, '']);
});

it('two services in one process keep apart', async () => {
  const first = await start(() => sampleState({ cluster: 'fleet-one' }));
  const second = await start(() => sampleState({ cluster: 'fleet-two' }));
  expect(await (await get(first, '/metrics')).text()).not.toContain('fleet-two');
  expect(await (await get(second, '/metrics')).text()).not.toContain('fleet-one');
});

it('closes although a client holds its connection', async () => {
  const address = await start();
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await started.pop()?.close();
  await closed;
});
