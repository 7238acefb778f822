import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import aesGcm from '../../../plugins/encryption/aes-gcm/index.ts';
import age from '../../../plugins/encryption/age/index.ts';
import none from '../../../plugins/encryption/none/index.ts';
import { Housekeeping } from '../../../src/export/housekeeping.ts';
import type { LineHeads } from '../../../src/export/line-heads.ts';
import type { LinePipeline } from '../../../src/export/pipeline.ts';
import { Resealing } from '../../../src/export/reseal.ts';
import { Findings, silentLogger } from '../../../src/observe/index.ts';
import type { ObjectStore, Plugin } from '../../../src/plugin/index.ts';
import { Outside } from '../../../src/resilience/index.ts';
import { snapshotContext } from '../../../src/snapshot/context.ts';
import type { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import type { Head } from '../../../src/snapshot/head.ts';
import { type EncryptionInstance, Sealing } from '../../../src/snapshot/sealing.ts';
import { FakeClock, pluginContext } from '../../../src/testing/index.ts';
import { ExportBench, LINE } from './bench.ts';

const signal = new AbortController().signal;
const INTERVAL = 600_000;

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const [K1, K2, K3] = [key(1), key(2), key(3)];

async function instance(plugin: Plugin<'encryption'>, settings: object): Promise<EncryptionInstance> {
  const { name } = plugin;
  return { id: name, use: name, plugin: await plugin.create(settings as never, pluginContext({ id: name })) };
}
const ring = (...keys: string[]) => instance(aesGcm as never, { keys });
const sealingOf = (...instances: EncryptionInstance[]) =>
  new Sealing(instances, { outside: new Outside(new FakeClock(), () => 0.5), deadlineMs: 1000 });

let bench: ExportBench;
let store: GuardedStore;
let findings: Findings;
let warnings: object[];

beforeEach(async () => {
  warnings = [];
  bench = new ExportBench();
  store = await bench.store('s');
  findings = new Findings(bench.clock, silentLogger);
});

interface Exporter {
  readonly publish: (...letters: string[]) => Promise<void>;
  /** One confirmation round. */
  readonly round: () => Promise<LineHeads | undefined>;
  readonly line: LinePipeline;
}

/** An exporter whose process was started with these keys. */
async function start(
  sealing: Sealing,
  { stores = [store], authenticated = true, keep = 12 } = {},
): Promise<Exporter> {
  const exporter = await bench.exporter(stores, { keep: { last: keep, hourly: 0, daily: 0 } }, sealing);
  const { line } = exporter;
  const resealing = new Resealing(line, {
    sealing,
    authenticated,
    clock: bench.clock,
    log: { ...silentLogger, warn: (fields: object) => void warnings.push(fields) },
    findings,
  });
  return {
    line,
    publish: async (...letters) => {
      for (const letter of letters) {
        bench.sent.splice(0, bench.sent.length, { letter });
        await exporter.once({ signal });
        bench.clock.jump(60_000);
      }
    },
    round: async () => {
      bench.clock.jump(INTERVAL);
      return resealing.run(await line.readHeads(signal), signal);
    },
  };
}

async function headOf(from: GuardedStore): Promise<Head> {
  const head = (await bench.line(from).readHead({ signal }))?.head;
  if (head === undefined) throw new Error('there is no head');
  return head;
}

/** The letters of what a reader with this sealing opens, best first; an error's code for what it does not open. */
async function readable(sealing: Sealing, from = store): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await headOf(from)).entries) {
    const stored = await bench.line(from).streamSnapshot(entry, { signal });
    if (stored === undefined) throw new Error(`${entry.key} is listed and not there`);
    const context = snapshotContext({ ...LINE, documentSha256: entry.document.sha256 });
    const opened: Uint8Array[] = [];
    try {
      const options = { signal, authenticated: true };
      for await (const piece of sealing.open(stored.body, entry.sealed.encryption, context, options))
        opened.push(piece);
      found.push(Buffer.concat(opened).toString().charAt(0));
    } catch (error) {
      stored.discard();
      found.push((error as { code: string }).code);
    }
  }
  return found;
}

/** What a head says of its configurations: all but where they lie and how they are sealed. */
const identities = ({ entries }: Head) => entries.map(({ key: _, sealed: __, ...identity }) => identity);
const codes = () => findings.list().map(({ code }) => code);

describe('after a change of keys', () => {
  it('one snapshot is sealed anew in each round, the current one first, until the new key alone opens everything', async () => {
    await (await start(sealingOf(await ring(K1)))).publish('a', 'b', 'c', 'd');
    const before = await headOf(store);
    const only = sealingOf(await ring(K2));
    expect(await readable(only)).toEqual(Array(4).fill('KF_KEY_UNKNOWN'));

    const exporter = await start(sealingOf(await ring(K2, K1)));
    for (const expected of ['d', 'dc', 'dcb', 'dcba']) {
      await exporter.round();
      const opened = await readable(only);
      expect(opened.filter((letter) => letter.length === 1).join('')).toBe(expected);
      expect(await readable(sealingOf(await ring(K2, K1)))).toEqual(['d', 'c', 'b', 'a']);
    }
    const after = await headOf(store);
    expect(identities(after)).toEqual(identities(before));
    expect(after.sequence).toBeGreaterThan(before.sequence);
    expect(after.confirmedAt).toBe(before.confirmedAt);
    expect(after.controlPlane).toEqual(before.controlPlane);
    expect(Date.parse(after.aliveAt)).toBeGreaterThan(Date.parse(before.aliveAt));
    // For the retention, which a day later takes away what the old key sealed.
    expect(after.delisted.map((gone) => gone.key).sort()).toEqual(
      before.entries.map((entry) => entry.key).sort(),
    );
    expect(codes()).toEqual([]);
  });

  it('is done with: no request, no head', async () => {
    await (await start(sealingOf(await ring(K1)))).publish('a', 'b');
    const exporter = await start(sealingOf(await ring(K2, K1)));
    for (let round = 0; round < 4; round++) await exporter.round();
    const [puts, sequence] = [store.counts.put, (await headOf(store)).sequence];
    const heads = await exporter.line.readHeads(signal);
    const gets = store.counts.get;
    bench.clock.jump(INTERVAL);
    expect(await exporter.round()).toBeUndefined();
    // The heads that the round of this test reads, and nothing else.
    expect(store.counts.get - gets).toBe(1);
    expect(store.counts.put).toBe(puts);
    expect(heads.base?.sequence).toBe(sequence);
  });

  it('looks at a bounded number of snapshots in a round, and not twice at one', async () => {
    const sealing = sealingOf(await ring(K1));
    await (await start(sealing)).publish(...'abcdef0123');
    const exporter = await start(sealingOf(await ring(K1)));
    const gets = async () => {
      const before = store.counts.get;
      await exporter.round();
      return store.counts.get - before - 1;
    };
    expect([await gets(), await gets(), await gets()]).toEqual([8, 2, 0]);
  });

  it('waits for the next interval', async () => {
    await (await start(sealingOf(await ring(K1)))).publish('a', 'b');
    const exporter = await start(sealingOf(await ring(K2, K1)));
    await exporter.round();
    const heads = await exporter.line.readHeads(signal);
    const resealing = new Resealing(exporter.line, {
      sealing: sealingOf(await ring(K2, K1)),
      authenticated: true,
      clock: bench.clock,
      log: silentLogger,
      findings,
    });
    expect(await resealing.run(heads, signal)).toBeDefined();
    expect(await resealing.run(await exporter.line.readHeads(signal), signal)).toBeUndefined();
  });
});

describe('what changed', () => {
  const rounds = async (exporter: Exporter, count: number) => {
    for (let round = 0; round < count; round++) await exporter.round();
  };

  it.each([
    ['a second kind of key was added', [K1], async () => [await ring(K1), await kms()]],
    ['the order of keys was turned round', [K1, K2], async () => [await ring(K2, K1)]],
  ])('%s: all are sealed anew', async (_, keys, instances) => {
    await (await start(sealingOf(await ring(...keys)))).publish('a', 'b');
    const former = (await headOf(store)).entries.map((entry) => entry.key);
    const sealing = sealingOf(...(await instances()));
    await rounds(await start(sealing), 3);
    const now = (await headOf(store)).entries.map((entry) => entry.key);
    expect(now.some((one) => former.includes(one))).toBe(false);
    expect(await readable(sealing)).toEqual(['b', 'a']);
  });

  it('one of two kinds of keys was taken out: the other stays able', async () => {
    const service = await kms();
    await (await start(sealingOf(await ring(K1), service))).publish('a', 'b');
    await rounds(await start(sealingOf(service)), 3);
    expect(await readable(sealingOf(await ring(K1)))).toEqual(['KF_KEY_UNKNOWN', 'KF_KEY_UNKNOWN']);
    expect(await readable(sealingOf(service))).toEqual(['b', 'a']);
  });

  it('a key behind the first was added or taken out: nothing is', async () => {
    await (await start(sealingOf(await ring(K1, K2)))).publish('a');
    const before = await headOf(store);
    await rounds(await start(sealingOf(await ring(K1, K3))), 2);
    expect((await headOf(store)).nonce).toBe(before.nonce);
  });

  it('encryption was turned on: what was readable is sealed', async () => {
    await (await start(sealingOf(await instance(none as never, {})))).publish('a', 'b');
    const sealing = sealingOf(await ring(K1));
    await rounds(await start(sealing), 3);
    expect((await headOf(store)).entries.map(({ sealed }) => sealed.encryption)).toEqual([
      'envelope',
      'envelope',
    ]);
    expect(await readable(sealing)).toEqual(['b', 'a']);
  });

  it("does not make a stranger's plain bytes into sealed ones: without signed heads they are left alone", async () => {
    await (await start(sealingOf(await instance(none as never, {})))).publish('a');
    const exporter = await start(sealingOf(await ring(K1)), { authenticated: false });
    await exporter.round();
    expect((await headOf(store)).entries[0]?.sealed.encryption).toBe('none');
    expect(codes()).toEqual(['reseal-unable']);
  });

  it('age with recipients alone: turned on seals what was plain, and what it sealed itself it leaves alone', async () => {
    const identity = await generateX25519Identity();
    const recipients = [await identityToRecipient(identity)];
    await (await start(sealingOf(await instance(none as never, {})))).publish('a');
    const exporter = await start(sealingOf(await instance(age as never, { recipients })));
    await exporter.publish('b', 'c');
    await rounds(exporter, 3);
    // The hourly look compares digests, for which nothing has to be opened.
    const housekeeping = new Housekeeping(exporter.line, { clock: bench.clock, log: silentLogger, findings });
    bench.clock.jump(3_600_000);
    await housekeeping.run(signal);
    expect(await readable(sealingOf(await instance(age as never, { identities: [identity] })))).toEqual([
      'c',
      'b',
      'a',
    ]);
    expect(codes()).toEqual([]);
  });
});

describe('what goes wrong', () => {
  it('an old key that is not here any more: said once, the others are sealed anew, and the entry stays', async () => {
    await (await start(sealingOf(await ring(K3)))).publish('a');
    await (await start(sealingOf(await ring(K1)))).publish('b');
    const exporter = await start(sealingOf(await ring(K2, K1)));
    for (let round = 0; round < 4; round++) await exporter.round();
    expect(await readable(sealingOf(await ring(K2)))).toEqual(['b', 'KF_KEY_UNKNOWN']);
    expect(await readable(sealingOf(await ring(K3)))).toEqual(['KF_KEY_UNKNOWN', 'a']);
    expect(findings.list()).toMatchObject([
      { code: 'reseal-unable', message: expect.stringMatching(/^1 of 2 .*KF_KEY_UNKNOWN/) },
    ]);
    // Not asked for its whole size at each round.
    const gets = store.counts.get;
    await exporter.round();
    expect(store.counts.get - gets).toBe(1);
    // And no longer said when it has left the list.
    await (await start(sealingOf(await ring(K2)), { keep: 1 })).publish('c');
    await exporter.round();
    expect(codes()).toEqual([]);
  });

  it('a key service that is away: an error that says so, and the same snapshot in the next round', async () => {
    const service = await kms();
    await (await start(sealingOf(await ring(K1)))).publish('a');
    const exporter = await start(sealingOf(await ring(K1), service));
    service.away = true;
    await expect(exporter.round()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(codes()).toEqual([]);
    service.away = false;
    expect(await exporter.round()).toBeDefined();
  });

  it('a damaged snapshot is nothing to seal anew', async () => {
    await (await start(sealingOf(await ring(K1)))).publish('a', 'b');
    const [damaged] = (await headOf(store)).entries;
    await store.delete(`3.9.3/${damaged?.key}`, { signal });
    await store.put(`3.9.3/${damaged?.key}`, new Uint8Array(7), { ifAbsent: true, signal });
    const exporter = await start(sealingOf(await ring(K2, K1)));
    for (let round = 0; round < 3; round++) await exporter.round();
    const { entries } = await headOf(store);
    expect(entries[0]).toEqual(damaged);
    expect((await readable(sealingOf(await ring(K2)))).at(1)).toBe('a');
    expect(codes()).toEqual([]);
  });

  it.each(['before', 'after'] as const)(
    'a crash %s the head is written leaves a head of which everything opens',
    async (when) => {
      const objects = await memoryWithFault();
      store = await bench.store('s', objects.store);
      await (await start(sealingOf(await ring(K1)))).publish('a', 'b');
      const exporter = await start(sealingOf(await ring(K2, K1)));
      objects.crash = when;
      await exporter.round().catch(() => {});
      objects.crash = undefined;
      const both = sealingOf(await ring(K2, K1));
      expect(await readable(both)).toEqual(['b', 'a']);
      // Started again, it goes on where it was.
      const again = await start(both);
      for (let round = 0; round < 3; round++) await again.round();
      expect(await readable(sealingOf(await ring(K2)))).toEqual(['b', 'a']);
    },
  );

  it('another exporter that publishes meanwhile wins', async () => {
    await (await start(sealingOf(await ring(K1)))).publish('a');
    const exporter = await start(sealingOf(await ring(K2, K1)));
    const heads = await exporter.line.readHeads(signal);
    await (await start(sealingOf(await ring(K2, K1)))).publish('b');
    const resealing = new Resealing(exporter.line, {
      sealing: sealingOf(await ring(K2, K1)),
      authenticated: true,
      clock: bench.clock,
      log: silentLogger,
      findings,
    });
    expect(await resealing.run(heads, signal)).toBeUndefined();
    expect(await readable(sealingOf(await ring(K2, K1)))).toEqual(['b', 'a']);
    await exporter.round();
    expect(await readable(sealingOf(await ring(K2)))).toEqual(['b', 'a']);
  });

  it('two exporters share the work, and come to rest', async () => {
    await (await start(sealingOf(await ring(K1)))).publish('a', 'b', 'c', 'd');
    const both = sealingOf(await ring(K2, K1));
    const [one, other] = [await start(both), await start(both)];
    for (let round = 0; round < 4; round++) await Promise.all([one.round(), other.round()]);
    const settled = await headOf(store);
    await Promise.all([one.round(), other.round()]);
    expect((await headOf(store)).nonce).toBe(settled.nonce);
    expect(await readable(sealingOf(await ring(K2)))).toEqual(['d', 'c', 'b', 'a']);
    expect(codes()).toEqual([]);
  });

  it('two exporters with their keys in different orders do not do it for ever, and say so', async () => {
    await (await start(sealingOf(await ring(K1)))).publish('a');
    const one = await start(sealingOf(await ring(K2, K1)));
    const other = await start(sealingOf(await ring(K1, K2)));
    let written = 0;
    for (let round = 0; round < 6; round++) {
      if ((await one.round()) !== undefined) written++;
      if ((await other.round()) !== undefined) written++;
    }
    expect(written).toBe(2);
    expect(await readable(sealingOf(await ring(K1, K2)))).toEqual(['a']);
    await one.round();
    expect(codes()).toEqual(['reseal-contested']);
  });
});

describe('several stores', () => {
  it('get the same head; one that fails is left with the former one, and levelled later', async () => {
    const objects = await memoryWithFault();
    const second = await bench.store('t', objects.store);
    const stores = [store, second];
    await (await start(sealingOf(await ring(K1)), { stores })).publish('a');
    const exporter = await start(sealingOf(await ring(K2, K1)), { stores });
    objects.crash = 'before-snapshots';
    expect(await exporter.round()).toBeDefined();
    expect(warnings).toEqual([
      expect.objectContaining({ event: 'level.failed', store: 't', code: 'KF_PLUGIN_DENIED' }),
    ]);
    expect(await readable(sealingOf(await ring(K2)))).toEqual(['a']);
    expect(await readable(sealingOf(await ring(K1)), second)).toEqual(['a']);
    objects.crash = undefined;
    // Uneven: that is levelled by a confirmation, before anything else is sealed anew.
    expect(await exporter.round()).toBeUndefined();
    await exporter.publish('a');
    expect((await headOf(second)).nonce).toBe((await headOf(store)).nonce);
    expect(await readable(sealingOf(await ring(K2)), second)).toEqual(['a']);
  });
});

/** A key service in memory that may be away. */
async function kms() {
  const keys = await ring(K3);
  const service = { ...keys, id: 'kms', use: 'kms', away: false };
  const plugin = keys.plugin as import('../../../src/plugin/index.ts').KeyWrap;
  const check = async () => {
    if (service.away) throw Object.assign(new Error('kms is away'), { kind: 'unavailable' });
  };
  return Object.assign(service, {
    plugin: {
      wrap: (...given: Parameters<typeof plugin.wrap>) => check().then(() => plugin.wrap(...given)),
      unwrap: (...given: Parameters<typeof plugin.unwrap>) => check().then(() => plugin.unwrap(...given)),
    },
  });
}

async function memoryWithFault() {
  const { default: memory } = await import('../../../plugins/storage/memory/index.ts');
  const inner = await memory.create({}, pluginContext({ id: 's', clock: bench.clock }));
  const fault: { store: ObjectStore; crash: 'before' | 'after' | 'before-snapshots' | undefined } = {
    crash: undefined,
    store: {
      get: (...given) => inner.get(...given),
      list: (...given) => inner.list(...given),
      delete: (...given) => inner.delete(...given),
      async put(objectKey, body, options) {
        const isHead = objectKey.endsWith('head.json');
        const dead = () => Object.assign(new Error('the process died'), { kind: 'denied' });
        if (fault.crash === (isHead ? 'before' : 'before-snapshots')) throw dead();
        const written = await inner.put(objectKey, body, options);
        if (fault.crash === 'after' && isHead) throw dead();
        return written;
      },
    },
  };
  return fault;
}
