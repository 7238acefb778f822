import { describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import type { Logger } from '../../../src/plugin/index.ts';
import { ServiceHub } from '../../../src/service/service-hub.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { errorOf } from '../snapshot/sample-head.ts';
import { NOW, sampleState } from './sample-state.ts';

function hubOf() {
  const lines: Record<string, unknown>[] = [];
  const write = (fields: Record<string, unknown>) => lines.push(fields);
  const log = { debug: write, info: write, warn: write, error: write } as unknown as Logger;
  const hub = new ServiceHub(new FakeClock({ now: NOW }));
  const joining = (changes = {}) => ({
    cluster: 'production',
    listen: '127.0.0.1:0',
    redact: (text: string) => text,
    log,
    state: () => sampleState(),
    ...changes,
  });
  const address = () =>
    `http://${String(lines.find((line) => line['event'] === 'service.listening')?.['address'])}`;
  return { hub, lines, joining, address };
}

describe('the service that roles share', () => {
  it('fails every role that comes, when it cannot listen', async () => {
    const { hub, joining } = hubOf();
    const [exporter, node] = [hub.seat('exporter'), hub.seat('node')];
    const both = await Promise.all([
      errorOf(() => exporter.join(joining({ listen: '192.0.2.1:0' }))),
      errorOf(() => node.join(joining({ listen: '192.0.2.1:0' }))),
    ]);
    expect(both.map(({ code }) => code)).toEqual(['KF_SERVICE_LISTEN', 'KF_SERVICE_LISTEN']);
    await hub.close();
  });

  it('is not ready while a role has not come', async () => {
    const { hub, joining, address } = hubOf();
    const [exporter, node] = [hub.seat('exporter'), hub.seat('node')];
    await exporter.join(joining());
    const answer = await fetch(`${address()}/health/ready`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ ready: false, reason: 'node: it is still starting' });
    await node.join(joining({ state: () => sampleState({ role: 'node' }) }));
    expect((await fetch(`${address()}/health/ready`)).status).toBe(200);
    await hub.close();
  });

  it('tells that a role failed, and why', async () => {
    const { hub, joining, address } = hubOf();
    const [exporter, node] = [hub.seat('exporter'), hub.seat('node')];
    await node.join(joining({ state: () => sampleState({ role: 'node', findings: [] }) }));
    exporter.failed(new FallbackError('invalid', 'KF_X', 'no such bucket', { hint: 'Make it.' }));
    const answer = await fetch(`${address()}/health`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      findings: [{ code: 'role-failed', about: 'exporter', severity: 'critical', hint: 'Make it.' }],
    });
    await hub.close();
  });

  it('opens one port, and blanks the secrets of every role', async () => {
    const { hub, joining, address, lines } = hubOf();
    const seats = [hub.seat('exporter'), hub.seat('node')];
    const secret = (text: string) => (whole: string) => whole.replaceAll(text, '***');
    const [first, second] = await Promise.all([
      seats[0]?.join(joining({ redact: secret('one'), state: () => sampleState({ cluster: 'one two' }) })),
      seats[1]?.join(joining({ redact: secret('two'), state: () => sampleState({ cluster: 'two one' }) })),
    ]);
    expect(first).toBe(second);
    expect(lines.filter((line) => line['event'] === 'service.listening')).toHaveLength(1);
    const text = await (await fetch(`${address()}/status`)).text();
    expect(text).toContain('*** ***');
    expect(text).not.toMatch(/one|two/);
    await hub.close();
    await expect(fetch(`${address()}/status`)).rejects.toThrow();
  });
});
