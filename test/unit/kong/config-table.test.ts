import { expect, test } from 'vitest';
import { describeTable } from '../../../src/kong/config-table.ts';
import { readFrame } from '../../../src/kong/frame.ts';
import { recordedFrame } from '../../stand-in/frames.ts';

const describeFrame = (name: string) => describeTable(readFrame(recordedFrame(name)).table);

test('a fresh database is empty, though not without bytes', () => {
  expect(describeFrame('control-plane/empty/frame-1')).toEqual({
    counts: { parameters: 1, workspaces: 1 },
    plugins: [],
    empty: true,
    formatVersion: '3.0',
    transform: false,
  });
});

test('nothing at all is empty', () => {
  expect(describeTable({})).toEqual({
    counts: {},
    plugins: [],
    empty: true,
    formatVersion: null,
    transform: null,
  });
});

test('`{}` counts as no entities, an unknown collection as any other', () => {
  const table = { services: {}, odd: 7, partials: [{}, {}], _info: [1], __proto__: null };
  expect(describeTable(table).counts).toEqual({ partials: 2, services: 0 });
  expect(describeTable(table).empty).toBe(false);
  expect(describeTable({ services: {}, routes: [], workspaces: [{}] }).empty).toBe(true);
});

test('a collection named as a property of every object', () => {
  const table = JSON.parse('{"constructor":[1],"toString":[]}');
  expect(describeTable(table).counts).toEqual({ constructor: 1, toString: 0 });
});

test('plugins by name, sorted, each once, whatever stands in the list', () => {
  const plugins = [{ name: 'key-auth' }, { name: 'acl' }, null, 3, { name: 5 }, { name: 'key-auth' }];
  expect(describeTable({ plugins }).plugins).toEqual(['acl', 'key-auth']);
});

test('the recorded configuration', () => {
  const { counts, empty, plugins } = describeFrame('control-plane/bulk15k/frame-1');
  expect(counts).toEqual({ parameters: 1, routes: 10_000, services: 5_000, workspaces: 1 });
  expect(empty).toBe(false);
  expect(plugins).toEqual([]);
  expect(describeFrame('control-plane/mixed/frame-1').plugins).toContain('key-auth');
});
