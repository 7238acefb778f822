import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../../src/bootstrap/outcome.ts';
import { commonParts } from '../../../src/composition/common-parts.ts';
import { type NodeFacts, startNodeService } from '../../../src/composition/node-service.ts';
import { override } from '../../../src/composition/overrides.ts';
import { Part } from '../../../src/composition/parts.ts';
import { get as getter } from '../../../src/composition/tokens.ts';
import type { LoadedSettings } from '../../../src/config/index.ts';
import type { Logger } from '../../../src/plugin/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { NOW } from './sample-state.ts';

async function serve(listen: string, facts: () => NodeFacts) {
  const lines: Record<string, unknown>[] = [];
  const write = (fields: Record<string, unknown>) => lines.push(fields);
  const log = { debug: write, info: write, warn: write, error: write } as unknown as Logger;
  const loaded = {
    settings: { cluster: 'production', signing: {}, service: { listen } },
    entries: { storages: [] },
    secrets: [],
  } as unknown as LoadedSettings;
  const clock = new FakeClock({ now: NOW });
  const get = getter(override(commonParts(loaded, log), { clock }));
  await startNodeService(get, facts);
  return { lines, close: () => get(Part.lifecycle).close(clock, log, 5000) };
}

describe('a node that keeps running', () => {
  it('goes on without its endpoints when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { lines, close } = await serve(`127.0.0.1:${port}`, () => ({ outcome: undefined, outcomeAt: 0 }));
    expect(lines).toMatchObject([{ event: 'service.not-listening', code: 'KF_SERVICE_LISTEN' }]);
    await close();
    other.close();
  });

  it('switched off opens nothing', async () => {
    const { lines, close } = await serve('off', () => ({ outcome: undefined, outcomeAt: 0 }));
    expect(lines).toEqual([]);
    await close();
  });

  it('tells where its configuration came from, and since when', async () => {
    let facts: NodeFacts = { outcome: undefined, outcomeAt: 0 };
    const { lines, close } = await serve('127.0.0.1:0', () => facts);
    const at = `http://${String(lines[0]?.['address'])}`;
    expect((await fetch(`${at}/health/ready`)).status).toBe(503);
    const outcome = outcomeOf('3.9.3', { origin: 'cache', reason: 'KF_CP_GONE', ageSeconds: 5 }, {});
    facts = { outcome, outcomeAt: NOW - 7000 };
    expect((await fetch(`${at}/health/ready`)).status).toBe(200);
    const metrics = await (await fetch(`${at}/metrics`)).text();
    expect(metrics).toContain('kongfallback_origin_state{origin="cache"} 1');
    expect(metrics).toContain('kongfallback_origin_state_age_seconds{origin="cache"} 7');
    await close();
    await expect(fetch(`${at}/metrics`)).rejects.toThrow();
  });
});
