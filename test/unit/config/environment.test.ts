import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../../src/config/environment.ts';
import { settingsJsonSchema } from '../../../src/config/schema.ts';
import { SchemaOutline } from '../../../src/config/schema-outline.ts';
import { pathText } from '../../../src/config/setting-path.ts';

const outline = new SchemaOutline(settingsJsonSchema());
const read = (env: Record<string, string>) => {
  const { assignments, problems } = readEnvironment(env, outline);
  return {
    paths: assignments.map(({ path }) => pathText(path)),
    problems: problems.map(({ message }) => message),
  };
};

describe('a variable that matches nothing is a problem', () => {
  test.each([
    ['KONGFALLBACK_EXPROT__DELAY_SECONDS', 'KONGFALLBACK_EXPORT__DELAY_SECONDS'],
    ['KONGFALLBACK_EXPORT_DELAY_SECONDS', 'KONGFALLBACK_EXPORT__DELAY_SECONDS'],
    ['KONGFALLBACK_CONFG', 'KONGFALLBACK_CONFIG'],
    ['KONGFALLBACK_BOOTSTRAP__TARGT__USE', 'KONGFALLBACK_BOOTSTRAP__TARGET__USE'],
  ])('%s', (name, meant) => {
    expect(read({ [name]: 'secret-value' })).toEqual({
      paths: [],
      problems: [`the environment variable ${name} matches no setting; did you mean ${meant}?`],
    });
  });

  test.each([
    'KONGFALLBACK_',
    'KONGFALLBACK_NOTHING_LIKE_IT',
    'KONGFALLBACK_CLUSTER__NAME',
    'KONGFALLBACK_STORAGES__X__PREFIX',
    'KONGFALLBACK_STORAGES__99999__PREFIX',
    'KONGFALLBACK_EXPORT__',
    'KONGFALLBACK_EXPORT____KEEP',
    'KONGFALLBACK_SERVICE__LISTN__X',
    'KONGFALLBACK_cluster',
    `KONGFALLBACK_${'A'.repeat(100_000)}`,
  ])('%.60s', (name) => {
    const { paths, problems } = read({ [name]: 'x' });
    expect(paths).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});

test('what Kubernetes injects for Services is no setting', () => {
  const injected = {
    KONGFALLBACK_SERVICE_HOST: '10.0.0.1',
    KONGFALLBACK_SERVICE_PORT: '8010',
    KONGFALLBACK_SERVICE_PORT_HTTP: '8010',
    KONGFALLBACK_PORT: 'tcp://10.0.0.1:8010',
    KONGFALLBACK_PORT_8010_TCP_ADDR: '10.0.0.1',
    KONGFALLBACK_RELAY_SERVICE_HOST: '10.0.0.2',
    KONGFALLBACK_RELAY_PORT_8005_TCP: 'tcp://10.0.0.2:8005',
    KONGFALLBACK_CONFIG: '/etc/x.yaml',
  };
  expect(read(injected)).toEqual({ paths: [], problems: [] });
});

test('settings whose names begin like those of Kubernetes are settings', () => {
  expect(
    read({ KONGFALLBACK_SERVICE__LISTEN: '[::]:1', KONGFALLBACK_RELAY__LISTEN: '[::]:2' }).paths,
  ).toEqual(['relay.listen', 'service.listen']);
});

test('nesting, lists in their order, camelCase, and any name inside a plugin', () => {
  const names = [
    'KONGFALLBACK_STORAGES__10__USE',
    'KONGFALLBACK_STORAGES__2__SECRET_ACCESS_KEY',
    'KONGFALLBACK_STORAGES__0__SINGLE_WRITER',
    'KONGFALLBACK_CONTROL_PLANE__SERVER_NAME',
    'KONGFALLBACK_CONTROL_PLANE__ADDRESS__1',
    'KONGFALLBACK_ENCRYPTION__KEYS__0',
    'KONGFALLBACK_ENCRYPTION__1__USE',
    'KONGFALLBACK_SIGNING__PUBLIC_KEYS__0',
    'KONGFALLBACK_BOOTSTRAP__TARGET__SOME__NESTED_THING',
    'KONGFALLBACK_SOURCE__USE',
  ];
  expect(read(Object.fromEntries(names.map((name) => [name, 'x']))).paths.sort()).toEqual([
    'bootstrap.target.some.nestedThing',
    'controlPlane.address[1]',
    'controlPlane.serverName',
    'encryption.keys[0]',
    'encryption[1].use',
    'signing.publicKeys[0]',
    'source.use',
    'storages[0].singleWriter',
    'storages[10].use',
    'storages[2].secretAccessKey',
  ]);
  const order = read({ KONGFALLBACK_STORAGES__10__USE: 'x', KONGFALLBACK_STORAGES__9__USE: 'x' }).paths;
  expect(order).toEqual(['storages[9].use', 'storages[10].use']);
});
