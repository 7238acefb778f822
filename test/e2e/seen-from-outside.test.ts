// A long-running exporter, watched as an operator does: over HTTP and with `status`, through the death and the silence
// of its control plane. And what `policy` allows, held against the requests that are really made.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { READER, S3Double, type S3Request, WRITER } from '../s3/double.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../stand-in/frames.ts';
import { frameOf } from './exported.ts';
import { expectNoSecret } from './refusal.ts';
import { RunningExporter } from './running-exporter.ts';
import { Site } from './site.ts';

/** Every two seconds, and a control plane is silent after one: in production these are 10 and 3 minutes. */
const FAST = {
  source: { use: 'kong-hybrid', silenceSeconds: 1 },
  export: { confirmSchedule: '*/2 * * * * *', delaySeconds: 0 },
  service: { listen: '127.0.0.1:0', drillSchedule: '*/2 * * * * *' },
};

let controlPlane: StandInControlPlane;
let site: Site;
let exporter: RunningExporter | undefined;

beforeEach(async () => {
  site = new Site({ settings: FAST });
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  controlPlane.setFrame(encodeFrame(recordedDocument('mixed')));
  site.pointAt(controlPlane.port);
});
afterEach(async () => {
  const stopped = await exporter?.stop();
  exporter = undefined;
  await controlPlane.close();
  site.remove();
  if (stopped !== undefined) {
    expectNoSecret(stopped, site.secrets);
    expect(stopped.code, stopped.stderr).toBe(0);
  }
});

const status = async () => {
  const { code, stdout, stderr, json } = await site.run(['status', '--json']);
  expect(stdout, stderr).not.toBe('');
  return { code, codes: (json()['findings'] as { code: string }[]).map(({ code: name }) => name) };
};

describe('an exporter', () => {
  it('that cannot listen says why, and does not start', async () => {
    const taken = await new S3Double().start();
    site.configure({ service: { listen: `127.0.0.1:${taken.port}` } });
    const { code, stderr } = await site.run(['export']);
    expect(code).toBe(10);
    expect(stderr).toContain(`service.listen: 127.0.0.1:${taken.port} is in use [KF_SERVICE_LISTEN]`);
    await taken.close();
  });

  it('without a configuration yet is alive and not ready', async () => {
    site.pointAt(1);
    exporter = await RunningExporter.start(site);
    expect((await exporter.get('/health/live')).status).toBe(200);
    expect((await exporter.get('/health/ready')).status).toBe(503);
    await exporter.event('finding.raised', { finding: 'control-plane-unreachable' });
    const health = await exporter.get('/health');
    expect([health.status, await health.json()]).toMatchObject([503, { status: 'failed' }]);
    expect(await status()).toMatchObject({ code: 22 });
  });

  it('tells that its control plane died, also to somebody who sees the storage only', async () => {
    exporter = await RunningExporter.start(site);
    await exporter.event('export.published');
    // One that ran before anything was published has failed, and says so until the next one.
    await exporter.event('drill.done', { verdict: 'passed', store: 'file' });
    expect((await exporter.get('/health/ready')).status).toBe(200);
    expect(await (await exporter.get('/health')).json()).toEqual({ status: 'ok', findings: [] });
    expect(await status()).toEqual({ code: 0, codes: [] });
    expect(await exporter.metric('kongfallback_control_plane_state', 'state="up"')).toBe(1);
    expect(
      await exporter.metric('kongfallback_configuration_entities', 'collection="services"'),
    ).toBeGreaterThan(0);
    expect(await exporter.metric('kongfallback_export_duration_seconds_count', 'outcome="published"')).toBe(
      1,
    );
    expect(await exporter.metric('kongfallback_drill_verdict_state', 'verdict="passed"')).toBe(1);

    await controlPlane.close();
    await exporter.event('control-plane.down');
    await exporter.event('finding.raised', { finding: 'control-plane-down' });
    expect(await exporter.metric('kongfallback_control_plane_state', 'state="down"')).toBe(1);
    expect((await exporter.get('/health/ready')).status).toBe(200);
    const health = await exporter.get('/health');
    expect([health.status, await health.json()]).toMatchObject([200, { status: 'degraded' }]);
    const seen = await status();
    expect(seen.code).toBe(21);
    expect(seen.codes).toContain('control-plane-down');
  });

  it('tells a control plane that is connected and silent: not confirmed, although somebody is alive', async () => {
    exporter = await RunningExporter.start(site);
    await exporter.event('export.published');
    const { confirmedAt } = await exporter.head();
    // As after a plugin was enabled that the exporter does not list: its next session gets nothing.
    controlPlane.behaviour = 'silent';
    await exporter.event('finding.raised', { finding: 'cp-silent' });
    await exporter.event('finding.raised', { finding: 'control-plane-down' });
    expect(await exporter.metric('kongfallback_control_plane_open_sessions')).toBe(1);
    expect(await exporter.metric('kongfallback_control_plane_state', 'state="down"')).toBe(1);
    expect(await exporter.metric('kongfallback_service_standing_findings', 'code="cp-silent"')).toBe(1);
    expect((await exporter.get('/health')).status).toBe(503);
    const seen = await status();
    expect(seen).toMatchObject({ code: 21, codes: expect.arrayContaining(['control-plane-down']) });
    const head = await exporter.head();
    expect(Date.parse(head.aliveAt)).toBeGreaterThan(Date.parse(head.confirmedAt));
    expect(Date.parse(head.confirmedAt)).toBeGreaterThanOrEqual(Date.parse(confirmedAt));

    controlPlane.behaviour = 'normal';
    await exporter.event('finding.cleared', { finding: 'cp-silent' });
    await exporter.event('finding.cleared', { finding: 'control-plane-down' });
    expect(await status()).toEqual({ code: 0, codes: [] });
  });

  it('serves what it serves on the loopback interface only, unless told otherwise', async () => {
    exporter = await RunningExporter.start(site);
    await exporter.event('export.published');
    expect(exporter.address).toMatch(/^127\.0\.0\.1:\d+$/);
  });
});

describe('policies, held against every request', () => {
  let s3: S3Double;
  beforeEach(async () => {
    s3 = await new S3Double().start();
  });
  afterEach(() => s3.close());

  const storage = (credentials: object) => ({
    use: 's3',
    bucket: s3.bucket,
    endpoint: s3.endpoint,
    prefix: 'fleet',
    ...credentials,
  });
  const made = () => {
    const requests = s3.requests.splice(0);
    expect(requests.length).toBeGreaterThan(0);
    return requests;
  };
  const policyOf = async (role: string): Promise<Policy> => {
    const { json, stderr, code } = await site.run(['policy', '--role', role, '--json']);
    expect(code, stderr).toBe(0);
    return (json() as { policies: { policy: Policy }[] }).policies[0]!.policy;
  };

  it('the exporter needs all that it gets, and gets all that it needs', async () => {
    site.configure({ storages: [storage(WRITER)] });
    controlPlane.setFrame(frameOf(recordedDocument('mixed'), 60));
    expect((await site.run(['export', '--once'])).code).toBe(0);
    // An empty one is refused and kept aside, for which the former ones there are listed.
    controlPlane.setFrame(frameOf(Buffer.from('{"_format_version":"3.0","_transform":false}'), 1));
    expect((await site.run(['export', '--once'])).code).toBe(20);
    const requests = made();
    const policy = await policyOf('exporter');
    expect(requests.filter((request) => !allows(policy, s3.bucket, request))).toEqual([]);
    const used = new Set(requests.map(({ operation }) => ACTION[operation]));
    expect([...used].sort()).toEqual(policy.Statement.flatMap(({ Action }) => Action).sort());
    expect(allows(policy, s3.bucket, { operation: 'get', key: 'other-fleet/3.9.3/head.json' })).toBe(false);
  });

  it('a reader gets by with GetObject: status, drill, bootstrap', async () => {
    site.configure({ storages: [storage(WRITER)] });
    expect((await site.run(['export', '--once'])).code).toBe(0);
    await controlPlane.close();
    s3.requests.length = 0;
    site.configure({ storages: [storage(READER)] });
    expect((await site.run(['status'])).code).toBe(0);
    expect(made().map(({ operation, key }) => [operation, key])).toEqual([['get', 'fleet/3.9.3/head.json']]);
    expect((await site.run(['drill'])).code).toBe(0);
    expect((await site.run(['bootstrap', '--once'])).code).toBe(0);
    const policy = await policyOf('reader');
    expect(made().filter((request) => !allows(policy, s3.bucket, request))).toEqual([]);
    expect(allows(policy, s3.bucket, { operation: 'get', key: 'fleet/3.9.3/refused/a.kfs' })).toBe(false);
    expect(allows(policy, s3.bucket, { operation: 'put', key: 'fleet/3.9.3/head.json' })).toBe(false);
  });
});

interface Policy {
  readonly Statement: readonly {
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
    readonly Condition?: { readonly StringLike?: Readonly<Record<string, readonly string[]>> };
  }[];
}

const ACTION: Readonly<Record<S3Request['operation'], string>> = {
  get: 's3:GetObject',
  put: 's3:PutObject',
  delete: 's3:DeleteObject',
  list: 's3:ListBucket',
  other: 'none',
};

/** As IAM matches: `*` is any number of any characters. */
function allows(policy: Policy, bucket: string, request: Pick<S3Request, 'operation' | 'key'>): boolean {
  const { operation, key } = request;
  const like = (patterns: readonly string[], value: string): boolean =>
    patterns.some((pattern) =>
      new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(value),
    );
  const resource = `arn:aws:s3:::${bucket}${operation === 'list' ? '' : `/${key}`}`;
  return policy.Statement.some(
    ({ Action, Resource, Condition }) =>
      Action.includes(ACTION[operation]) &&
      like(Resource, resource) &&
      // The double does not tell what a listing asked for.
      (operation === 'list' ||
        Condition?.StringLike?.['s3:prefix'] === undefined ||
        like(Condition.StringLike['s3:prefix'], key)),
  );
}
