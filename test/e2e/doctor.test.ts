// `kongfallback doctor` against set-ups that are broken in one way each, and against one of each role that is not. In this
// process, because they are many.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterCertificate } from '../stand-in/certificates.ts';
import { BROKEN_CONTROL_PLANE } from './doctor-broken-control-plane.ts';
import { BROKEN_MACHINE } from './doctor-broken-machine.ts';
import { BROKEN_SETTINGS } from './doctor-broken-settings.ts';
import { BROKEN_STORAGE } from './doctor-broken-storage.ts';
import { occupied, type Role, remove, type SetUp, World } from './doctor-set-up.ts';

interface Result {
  readonly area: string;
  readonly code: string;
  readonly severity: 'ok' | 'warning' | 'error';
  readonly message: string;
  readonly hint?: string;
}

const world = new World();

beforeAll(() => world.start());
afterAll(() => world.close());

const BROKEN = [...BROKEN_SETTINGS, ...BROKEN_CONTROL_PLANE, ...BROKEN_STORAGE, ...BROKEN_MACHINE];

const results = (stdout: string): Result[] => (JSON.parse(stdout) as { results: Result[] }).results;

describe('a set-up that is well', () => {
  it.each(['exporter', 'node', 'relay'] as const)('%s', async (role) => {
    const setUp = world.setUp(role);
    try {
      const before = [...world.double.objects.keys()];
      const { code, stderr, stdout } = await world.doctor(setUp, role);
      const wrong = results(stdout).filter(({ severity }) => severity !== 'ok');
      expect(wrong, stderr).toEqual([]);
      expect(code).toBe(0);
      expect(results(stdout).map(({ code: seen }) => seen)).toEqual(
        expect.arrayContaining(['snapshot-opens', 'control-plane-configures']),
      );
      // Nothing of the looking is left.
      expect([...world.double.objects.keys()]).toEqual(before);
    } finally {
      await remove(setUp);
    }
  });
});

describe('a set-up that is broken', () => {
  it('there are more than thirty ways', () => expect(BROKEN.length).toBeGreaterThan(30));

  it.each(BROKEN)('$role: $what', async ({ breaking, code, exit, role }) => {
    const setUp = world.setUp(role);
    try {
      await breaking(setUp, world);
      const ran = await world.doctor(setUp, role);
      const wrong = results(ran.stdout).filter(({ severity }) => severity !== 'ok');
      expect(wrong.map((one) => one.code)).toContain(code);
      for (const one of wrong) expect(one.hint, one.code).toMatch(/\w+ \w+/);
      expect(ran.code, JSON.stringify(wrong, null, 1)).toBe(exit);
      for (const secret of setUp.site.secrets) expect(ran.stdout + ran.stderr).not.toContain(secret);
    } finally {
      await remove(setUp);
    }
  });
});

it('an exporter that cannot open what it wrote, as age has it, is well', async () => {
  const setUp = world.setUp('exporter');
  try {
    const recipient = await identityToRecipient(await generateX25519Identity());
    setUp.settings['encryption'] = { use: 'age', recipients: [recipient] };
    setUp.settings['storages'] = [{ use: 'file', path: 'store' }];
    expect((await world.run(setUp, ['export', '--once'])).code).toBe(0);
    const { code, stdout } = await world.doctor(setUp, 'exporter');
    expect(results(stdout).filter(({ severity }) => severity !== 'ok')).toEqual([]);
    expect(results(stdout).map((one) => one.code)).toContain('snapshot-sealed-away');
    expect(code).toBe(0);
  } finally {
    await remove(setUp);
  }
});

it('a relay that runs has its ports, and that is well', async () => {
  const setUp = world.setUp('relay');
  try {
    const live = createHttp((_, response) => response.end('{"live":true}\n')).listen(0, '127.0.0.1');
    await once(live, 'listening');
    setUp.opened.push(() => live.close());
    setUp.settings['service'].listen = `127.0.0.1:${(live.address() as { port: number }).port}`;
    setUp.settings['relay'].listen = await occupied(setUp);
    const { code, stdout } = await world.doctor(setUp, 'relay');
    expect(results(stdout).filter((one) => one.code === 'listen-running')).toHaveLength(2);
    expect(code).toBe(0);
  } finally {
    await remove(setUp);
  }
});

describe('settings that are refused', () => {
  async function problemsOf(role: Role, breaking: (setUp: SetUp) => void) {
    const setUp = world.setUp(role);
    try {
      breaking(setUp);
      const { code, stdout } = await world.doctor(setUp, role);
      expect(code).toBe(22);
      return results(stdout);
    } finally {
      await remove(setUp);
    }
  }

  it('every problem is named, and files and keys are looked at all the same', async () => {
    const seen = await problemsOf('exporter', ({ settings, site }) => {
      settings['exprot'] = {};
      delete settings['cluster'];
      settings['encryption'].keys = [`\${file:gone.key}`];
      site.write('cluster.key', clusterCertificate().key);
      const { publicKey } = generateKeyPairSync('ed25519');
      site.write('head.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    });
    const wrong = seen.filter(({ severity }) => severity === 'error');
    expect(wrong.map(({ code, message }) => `${code} ${message.split(/[ :]/)[0]}`).sort()).toEqual([
      'KF_SETTINGS_INVALID cluster',
      'KF_SETTINGS_INVALID controlPlane.key',
      'KF_SETTINGS_INVALID encryption.keys[0]',
      'KF_SETTINGS_INVALID exprot',
      'signing-key-foreign signing.privateKey',
    ]);
  });

  it('the storages are looked at all the same, where a reader could', async () => {
    const seen = await problemsOf('exporter', ({ settings }) => {
      settings['encryption'].keys = [`\${file:gone.key}`];
    });
    expect(seen.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['storage-rights', 'snapshot-found']),
    );
  });
});

it('is one screen for a person, by area, with what is well', async () => {
  const setUp = world.setUp('node');
  try {
    setUp.settings['bootstrap'].kongPrefix = 'elsewhere';
    const { stdout } = await world.run(setUp, ['doctor', '--role', 'node']);
    expect(stdout).toMatch(/^degraded: node, 0 errors, 1 warning, \d+ ok\n\nmachine\n {2}ok +Node \d/);
    expect(stdout).toMatch(
      /\ngateway\n[\s\S]*warning {2}the prefix of Kong is not there: .*\[kong-prefix-missing\]\n +hint: /,
    );
    expect(stdout.split('\n').length).toBeLessThan(60);
  } finally {
    await remove(setUp);
  }
});

it('says of a role that there is none of', async () => {
  const setUp = world.setUp('node');
  try {
    const { code, stderr } = await world.run(setUp, ['doctor']);
    expect(code).toBe(2);
    expect(stderr).toContain('KF_USAGE');
    expect(readFileSync(join(setUp.site.directory, 'head.pub'), 'utf8')).toContain('PUBLIC KEY');
  } finally {
    await remove(setUp);
  }
});
