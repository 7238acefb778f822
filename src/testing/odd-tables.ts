// Documents that are JSON objects and nothing more. What Kong's Lua side really produces is among them: an empty
// table encodes as {} where a list is meant, and null stands for what is not set.
export const ODD_TABLES: readonly { readonly name: string; readonly json: string }[] = [
  { name: 'empty', json: '{}' },
  { name: 'no format version', json: '{"services":[]}' },
  { name: 'format version of another type', json: '{"_format_version":3,"services":[]}' },
  { name: 'null collection', json: '{"_format_version":"3.0","services":null}' },
  { name: 'object for a list', json: '{"_format_version":"3.0","services":{},"routes":{}}' },
  { name: 'string for a list', json: '{"_format_version":"3.0","services":"x"}' },
  { name: 'numbers in a list', json: '{"_format_version":"3.0","services":[1,2,3]}' },
  { name: 'nulls in a list', json: '{"_format_version":"3.0","services":[null,null]}' },
  { name: 'lists in a list', json: '{"_format_version":"3.0","services":[[],[[]]]}' },
  { name: 'entities without id', json: '{"_format_version":"3.0","services":[{},{}]}' },
  { name: 'null ids', json: '{"_format_version":"3.0","services":[{"id":null},{"id":null}]}' },
  {
    name: 'ids of every type',
    json: '{"_format_version":"3.0","services":[{"id":1},{"id":[]},{"id":{"a":1}}]}',
  },
  { name: 'unknown collection', json: '{"_format_version":"3.0","no_such_things":[{"id":"a","x":null}]}' },
  { name: 'collection __proto__', json: '{"_format_version":"3.0","__proto__":[{"id":"a"}],"services":[]}' },
  {
    name: 'prototype keys in an entity',
    json: '{"_format_version":"3.0","services":[{"id":"a","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]}',
  },
  {
    name: 'collections named like members of objects',
    json: '{"_format_version":"3.0","constructor":[{"id":"a"}],"toString":[{"id":"b"}],"hasOwnProperty":[{"id":"c"}]}',
  },
  {
    name: 'ids named like members of objects',
    json: '{"_format_version":"3.0","services":[{"id":"__proto__"},{"id":"constructor"}],"routes":[{"id":"r","service":{"id":"toString"}}]}',
  },
  { name: 'reference null', json: '{"_format_version":"3.0","routes":[{"id":"r","service":null}]}' },
  { name: 'reference of another type', json: '{"_format_version":"3.0","routes":[{"id":"r","service":42}]}' },
  { name: 'reference without id', json: '{"_format_version":"3.0","routes":[{"id":"r","service":{}}]}' },
  { name: 'dangling', json: '{"_format_version":"3.0","routes":[{"id":"r","service":{"id":"gone"}}]}' },
  {
    name: 'deep',
    json: `{"_format_version":"3.0","services":[{"id":"a","x":${'['.repeat(500)}${']'.repeat(500)}}]}`,
  },
  { name: 'an empty key', json: '{"":[{"":""}],"_format_version":"3.0"}' },
  {
    name: 'lone surrogates',
    json: '{"_format_version":"3.0","services":[{"id":"\\ud800","name":"\\udfff"}]}',
  },
  { name: 'large numbers', json: '{"_format_version":"3.0","services":[{"id":"a","port":1e400,"x":-0}]}' },
];
